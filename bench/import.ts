import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { AnnalsClient } from '#client'
import { type NewEvent, newEventId, streamIdOf } from '#domain'
import { type AppendRequest, EventStoreError } from '#event-store'

import { readCdnow } from '../examples/customers/cdnow.ts'
import { startBenchStack } from './bench-stack.ts'
import { withClosing } from './closing.ts'
import { startService } from './contenders/service-process.ts'
import { type Bench, median, timeMs } from './measure.ts'

const rounds = 3
/** Values of `./annals import`: lines per window, and windows in flight. */
const batch = 500
const windowsMax = 4

const table = 'examples/customers/cdnow.txt'
const mappingFile = 'examples/customers/cdnow.mapping.json'
const checkout = join(import.meta.dirname, '..')

interface Rates {
  /** The append rate that the command reports. */
  readonly command: number
  /** From start to end of the command: including its start, the check of all lines, and closing. */
  readonly wholeCommand: number
  /** The same file a second time: nothing is added. */
  readonly again: number
  /** AnnalsClient.appendMany with prepared events. */
  readonly limit: number
}

interface Result extends Rates {
  readonly events: number
}

/**
 * Imports the real purchases of examples/customers through the public API: with `./annals import` as a separate
 * process, compared with a client that only appends.
 */
export const importing: Bench<Result> = {
  run: (say) =>
    withClosing(async (closing) => {
      const stack = await startBenchStack(say)
      closing(() => stack.close())
      const env = stack.envOf('customer')
      const writer = await startService('writer', env)
      closing(() => writer.stop())
      const folder = await mkdtemp(join(tmpdir(), 'annals-bench-import-'))
      closing(() => rm(folder, { recursive: true }))
      const client = new AnnalsClient({ url: writer.url })
      closing(() => client.close())
      const measured: Rates[] = []
      await appendReady(client, 'warm-up')
      for (let round = 0; round < rounds; round++) {
        say(`round ${round + 1} of ${rounds} …`)
        const limit = await appendReady(client, `limit-${round}`)
        measured.push({ limit, ...(await runCommand(writer.url, folder, `command-${round}`)) })
      }
      return { events: purchases().length, ...medians(measured) }
    }),
  format: ({ events, limit, command, wholeCommand, again }) =>
    [
      `Importing ${events.toLocaleString('en-US')} events`,
      row('what', 'events/s', 'of the limit'),
      row('---', '---', '---'),
      ...[
        ['appendMany, prepared events: the limit', limit] as const,
        ['`annals import`, appending', command] as const,
        ['`annals import`, the whole command', wholeCommand] as const,
        ['`annals import` of the same file again', again] as const,
      ].map(([what, rate]) =>
        row(what, rate.toLocaleString('en-US'), `${Math.round((100 * rate) / limit)} %`),
      ),
    ].join('\n'),
}

const purchases = () => [...readCdnow(readFileSync(join(checkout, table), 'utf8'))]

/** Windows of the file in the order of the command, with the events of one customer together. */
async function appendReady(client: AnnalsClient, prefix: string): Promise<number> {
  const all = purchases().map(({ customerId, ...data }) => ({
    streamId: streamIdOf('customer', `${prefix}-${customerId}`),
    event: { id: newEventId(), type: 'PurchaseMade', data } satisfies NewEvent,
  }))
  const windows = Array.from({ length: Math.ceil(all.length / batch) }, (_, index) =>
    [...Map.groupBy(all.slice(index * batch, (index + 1) * batch), ({ streamId }) => streamId)].map(
      ([streamId, own]): AppendRequest => ({ streamId, events: own.map(({ event }) => event) }),
    ),
  )
  let next = 0
  const worker = async () => {
    for (let window = windows[next++]; window !== undefined; window = windows[next++]) {
      const refused = (await client.appendMany(window)).find((answer) => answer instanceof EventStoreError)
      if (refused !== undefined) throw refused
    }
  }
  const elapsedMs = await timeMs(() => Promise.all(Array.from({ length: windowsMax }, worker)))
  return rateOf(all.length, elapsedMs)
}

/** Imports the purchases to new streams with the command of this checkout. @returns the events per second that it reports. */
export async function importPurchases(url: string, folder: string, prefix: string): Promise<number> {
  return (await timedCommand(importArguments(url, folder, prefix))).eventsPerSecond
}

function importArguments(url: string, folder: string, prefix: string): readonly string[] {
  const mapping = join(folder, `${prefix}.json`)
  const spec = JSON.parse(readFileSync(join(checkout, mappingFile), 'utf8')) as object
  writeFileSync(mapping, JSON.stringify({ ...spec, stream: `customer.${prefix}-{customer_id}` }))
  return ['services/cli/main.ts', 'import', table, '--mapping', mapping, '--url', url, '--json']
}

async function runCommand(url: string, folder: string, prefix: string): Promise<Omit<Rates, 'limit'>> {
  const args = importArguments(url, folder, prefix)
  const first = await timedCommand(args)
  const second = await timedCommand(args)
  if (second.appended !== 0) throw new Error(`a second import added ${second.appended} events`)
  return {
    command: first.eventsPerSecond,
    wholeCommand: rateOf(first.appended, first.elapsedMs),
    again: rateOf(first.appended, second.elapsedMs),
  }
}

async function timedCommand(args: readonly string[]) {
  const startMs = performance.now()
  const command = spawn(process.execPath, args, { cwd: checkout, stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed] = await Promise.all([text(command.stdout), once(command, 'close')])
  const report = JSON.parse(printed) as { readonly appended: number; readonly eventsPerSecond: number }
  return { ...report, elapsedMs: performance.now() - startMs }
}

const rateOf = (events: number, elapsedMs: number): number => Math.round((events / elapsedMs) * 1_000)

const medians = (measured: readonly Rates[]): Rates => ({
  command: median(measured.map(({ command }) => command)),
  wholeCommand: median(measured.map(({ wholeCommand }) => wholeCommand)),
  again: median(measured.map(({ again }) => again)),
  limit: median(measured.map(({ limit }) => limit)),
})

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`
