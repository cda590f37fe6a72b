// npm run faults -- --seeds 20 --minutes 1
import { writeFileSync } from 'node:fs'

import { endKept } from '../../../scripts/stack/index.ts'
import { readOptions, type RunOptions, usage } from './options.ts'
import { faultRows, faultTable } from './report/fault-table.ts'
import { isPassed, isUneventful, seedFindings, seedLine } from './report/seed-report.ts'
import { type Progress, runSeeds } from './run-seeds.ts'

const minuteMs = 60_000

const say = (text: string) => process.stdout.write(`${text}\n`)

function optionsOrUsage(): RunOptions | undefined {
  try {
    const options = readOptions(process.argv.slice(2))
    if (options !== 'help') return options
    say(usage)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`)
    process.exitCode = 2
  }
  return undefined
}

const commandFor = (seed: number, { minutes, clients, variant }: RunOptions): string =>
  [
    `npm run faults -- --seed ${seed} --minutes ${minutes} --clients ${clients}`,
    ...(variant === undefined ? [] : [`--variant ${variant}`]),
  ].join(' ')

async function run(options: RunOptions): Promise<void> {
  const startedAt = new Date().toISOString()
  const findings: string[] = []
  const onProgress = (event: Progress) => {
    if (event.is === 'servers') {
      say(`the servers are up: ${event.folder}`)
      return
    }
    const { result, folder } = event
    say(seedLine(result))
    if (!isUneventful(result)) findings.push(seedFindings(result, commandFor(result.seed, options), folder))
  }
  const { seeds, clients, preload, keep, minutes } = options
  const results = await runSeeds({
    seeds,
    clients,
    preload,
    keep,
    durationMs: minutes * minuteMs,
    onProgress,
  })
  say(`\n${faultTable(results)}`)
  findings.forEach((finding) => say(`\n${finding}`))
  if (options.json !== undefined) {
    writeFileSync(
      options.json,
      JSON.stringify({ startedAt, options, faults: faultRows(results), seeds: results }, undefined, 2),
    )
  }
  process.exitCode = results.every(isPassed) ? 0 : 1
}

process.once('SIGINT', () => {
  process.stderr.write('Interrupted by Ctrl-C: all started processes end too.\n')
  void endKept().then(() => process.exit(130))
})

const options = optionsOrUsage()
if (options !== undefined) await run(options)
