// npm run faults:paused -- --runs 20 --kafka 4.1.0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { endKept, type KafkaVersion, versions } from '../../../scripts/stack/index.ts'
import { runPausedOwner } from './run.ts'
import { openStand } from './stand.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    from: { type: 'string', default: '1' },
    kafka: { type: 'string', multiple: true, default: [versions.kafkaOldest, versions.kafka] },
  },
})

const say = (text: string) => process.stdout.write(`${text}\n`)

function versionsOf(names: readonly string[]): readonly KafkaVersion[] {
  const known: readonly KafkaVersion[] = [versions.kafkaOldest, versions.kafka]
  return names.map((name) => {
    const version = known.find((each) => each === name)
    if (version === undefined) throw new Error(`--kafka ${name}: choose one of ${known.join(', ')}`)
    return version
  })
}

/** @returns how many runs violated a promise */
async function runAll(version: KafkaVersion, folder: string): Promise<number> {
  const stand = await openStand(version, join(folder, version))
  let broken = 0
  try {
    for (let seed = Number(values.from); seed < Number(values.from) + Number(values.runs); seed++) {
      const { answer, acknowledgedEvents, strays, violations, tookMs } = await runPausedOwner(
        stand,
        seed,
        join(folder, `${version}-${seed}`),
      )
      const verdict = violations.length === 0 ? 'ok' : `${violations.length} VIOLATIONS`
      const facts = `${acknowledgedEvents} events acknowledged, ${strays} strays, the paused owner's caller got ${answer}`
      say(`Kafka ${version}, run ${seed}: ${verdict}, ${facts}, ${Math.round(tookMs / 1_000)} s`)
      for (const { promise, where, expected, found } of violations)
        say(`  ${promise}, ${where}: expected ${expected}, found ${found}`)
      if (violations.length > 0) broken++
    }
  } finally {
    await stand.stop()
  }
  return broken
}

process.once('SIGINT', () => void endKept().then(() => process.exit(130)))

const folder = mkdtempSync(join(tmpdir(), 'annals-paused-owner-'))
let broken = 0
for (const version of versionsOf(values.kafka)) broken += await runAll(version, folder)
say(
  broken === 0
    ? 'No acknowledged event is missing or duplicated.'
    : `${broken} runs violated a promise: ${folder}`,
)
if (broken === 0) rmSync(folder, { recursive: true, force: true })
process.exitCode = broken === 0 ? 0 : 1
