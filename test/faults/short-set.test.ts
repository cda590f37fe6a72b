import { expect, test } from 'vitest'

import { faultTable } from './harness/report/fault-table.ts'
import { isPassed, seedFindings, seedLine } from './harness/report/seed-report.ts'
import { runSeeds } from './harness/run-seeds.ts'

// A short set of what `npm run faults` does at length. Frequent faults occur here too: views in PostgreSQL and a stray
// record; a Redis Cluster and a deleted head; brokers that forget, and a paused owner.
const seeds = [4, 7, 20]
const seconds = 25
const clients = 16

const say = (text: string) => process.stdout.write(`${text}\n`)

test('a whole installation keeps its promises under faults', { timeout: 1_200_000 }, async () => {
  const results = await runSeeds({
    seeds,
    clients,
    durationMs: seconds * 1_000,
    onProgress: (event) => {
      if (event.is === 'servers') return
      const { result, folder } = event
      say(seedLine(result))
      const command = `npm run faults -- --seed ${result.seed} --minutes ${seconds / 60} --clients ${clients}`
      if (!isPassed(result)) say(seedFindings(result, command, folder))
    },
  })
  say(`\n${faultTable(results)}`)
  expect(results.filter((result) => !isPassed(result)).map(seedLine)).toEqual([])
})
