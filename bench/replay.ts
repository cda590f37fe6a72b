import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { eventTopic } from '#domain'
import { LogReader } from '#kafka'

import { startBenchStack } from './bench-stack.ts'
import { type Closing, withClosing } from './closing.ts'
import { type RunningWriter, startWriter } from './contenders/core.ts'
import { type Bench, median, timeMs } from './measure.ts'
import { appendPurchases, mixedPurchases } from './project-purchases.ts'
import { readByKafkajs } from './project-readers.ts'

const copies = 3
const rounds = 3
const type = 'customer'
const checkout = join(import.meta.dirname, '..')

const contenders = {
  kafkajs: 'kafkajs, doing nothing with its messages',
  reader: 'LogReader.read, doing nothing with its records',
  file: '`annals replay --to-file`',
  cloudevents: '`annals replay --to-file --format cloudevents`',
  dryRun: '`annals replay --dry-run`',
  filtered: '`annals replay --to-file`, one stream of all',
  topic: '`annals replay --to-topic`',
  wholeCommand: '`annals replay --to-file`, the whole command including its start',
} as const
type Name = keyof typeof contenders

interface Result {
  readonly events: number
  /** Events read per second. */
  readonly rates: Readonly<Record<Name, number>>
}

/**
 * Replays the real purchases of examples/customers with the command as a separate process, compared with readers that
 * do nothing with what they read: the limit.
 */
export const replay: Bench<Result> = {
  run: (say) =>
    withClosing(async (closing) => {
      const stack = await startBenchStack(say)
      closing(() => stack.close())
      const env = stack.envOf(type)
      const writer = await startWriter(env)
      closing(() => writer.close())
      const purchases = mixedPurchases(copies)
      say(`${purchases.length} purchases …`)
      await appendPurchases(writer, purchases)
      const events = purchases.length
      const run = { writer, env, events, folder: await ownFolder(closing) }
      const measured: Record<Name, number>[] = []
      for (let round = 0; round <= rounds; round++) {
        say(round === 0 ? 'warming up …' : `round ${round} of ${rounds} …`)
        const rates = await measureRound(run, round)
        if (round > 0) measured.push(rates)
      }
      return { events, rates: medians(measured) }
    }),
  format: ({ events, rates }) =>
    [
      `Replaying ${thousands(events)} events`,
      row('what', 'events/s', 'of LogReader'),
      row('---', '---', '---'),
      ...names.map((name) =>
        row(contenders[name], thousands(rates[name]), `${Math.round((100 * rates[name]) / rates.reader)} %`),
      ),
    ].join('\n'),
}

const names = Object.keys(contenders) as Name[]

/** Replays all events to a file with the command of this checkout. @returns the events per second that it reports. */
export async function replayToFile(run: Pick<Run, 'env' | 'events' | 'folder'>): Promise<number> {
  const { events } = run
  return Math.round(events / (await runCommand(run, toFileIn(run), events)).seconds)
}

const toFileIn = ({ folder }: Pick<Run, 'folder'>) => [
  '--to-file',
  join(folder, 'events.ndjson'),
  '--overwrite',
]

async function ownFolder(closing: Closing): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-bench-replay-'))
  closing(() => rm(folder, { recursive: true }))
  return folder
}

interface Run {
  readonly writer: RunningWriter
  readonly env: Readonly<Record<string, string>>
  readonly events: number
  readonly folder: string
}

async function measureRound(run: Run, round: number): Promise<Record<Name, number>> {
  const { writer, events } = run
  const perSecond = (seconds: number): number => Math.round(events / seconds)
  const toFile = toFileIn(run)
  const kafkajs = (await readByKafkajs(writer, events)).perSecond
  const reader = perSecond((await timeMs(() => readAll(run))) / 1_000)
  const file = await runCommand(run, toFile, events)
  const cloudevents = await runCommand(run, [...toFile, '--format', 'cloudevents'], events)
  const dryRun = await runCommand(run, ['--dry-run'], events)
  const filtered = await runCommand(run, [...toFile, '--stream-pattern', `${type}.0-00001`])
  const topic = await runCommand(run, ['--to-topic', `copy-${round}`, '--create'], events)
  return {
    ...{ kafkajs, reader, file: perSecond(file.seconds), wholeCommand: perSecond(file.wholeSeconds) },
    ...{ cloudevents: perSecond(cloudevents.seconds), dryRun: perSecond(dryRun.seconds) },
    ...{ filtered: perSecond(filtered.seconds), topic: perSecond(topic.seconds) },
  }
}

/** Reads all partitions concurrently in this process. */
async function readAll({ writer, events }: Run): Promise<void> {
  const reader = new LogReader(writer.backends.cluster)
  let read = 0
  const readPartition = async (partition: number) => {
    for await (const records of reader.read(eventTopic(type), partition, { from: 0 })) read += records.length
  }
  await Promise.all(
    Array.from({ length: writer.config.kafka.partitions }, (_, index) => readPartition(index)),
  )
  check('LogReader', read, events)
}

/** @param events the expected number of events; the figure is meaningless if it differs */
async function runCommand({ env }: Pick<Run, 'env'>, args: readonly string[], events?: number) {
  const command = spawn(process.execPath, ['services/cli/main.ts', 'replay', type, ...args, '--json'], {
    cwd: checkout,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(command, 'close')
  const startMs = performance.now()
  const [stdout, stderr] = await Promise.all([text(command.stdout), text(command.stderr)])
  await ended
  const wholeSeconds = (performance.now() - startMs) / 1_000
  const isAside = args.includes('--dry-run')
  const { seconds, events: replayed } = parse(isAside ? stderr : stdout, stderr)
  if (events !== undefined) check(args.join(' '), replayed, events)
  return { seconds, wholeSeconds }
}

function parse(document: string, stderr: string) {
  const found = JSON.parse(document) as { seconds?: number; events?: number }
  const { seconds, events } = found
  if (seconds === undefined || events === undefined) throw new Error(`the replay failed: ${stderr}`)
  return { seconds, events }
}

function check(what: string, found: number, expected: number): void {
  if (found !== expected) throw new Error(`${what}: ${found} events instead of ${expected}`)
}

const medians = (measured: readonly Record<Name, number>[]): Record<Name, number> =>
  Object.fromEntries(
    names.map((name) => [name, Math.round(median(measured.map((rates) => rates[name])))]),
  ) as Record<Name, number>

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const thousands = (figure: number): string => figure.toLocaleString('en-US')
