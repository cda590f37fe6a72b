import { loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

import { AnnalsClient } from '#client'

import type { CallersResult } from '../callers.ts'
import { withClosing } from '../closing.ts'
import { appended } from '../domain/domain.ts'
import { type Bench, median, medians } from '../measure.ts'
import { formatTable } from '../table.ts'
import { type FloodProcess, startFloodProcess } from './flood.ts'
import type { FloodCounts } from './flood-messages.ts'
import { startGuardedPlatform } from './guarded-platform.ts'
import { steadyCalls } from './steady-calls.ts'

const rounds = 5
const limitPerSecond = 100
const steadyPerSecond = 50
const floodPerSecond = 20 * limitPerSecond
const warmUpMs = 2_000
const durationMs = 12_000
/** Held rejections are sent, and the queues are empty. */
const calmMs = 4_000

/** Beside whom the first tenant appends. */
const neighbours = {
  none: 'alone',
  limited: 'beside a tenant that sends 20 times its limit',
  unlimited: 'beside the same tenant without a limit',
} as const
type Neighbour = keyof typeof neighbours
const names = Object.keys(neighbours) as readonly Neighbour[]

type Round = CallersResult & { readonly flood: FloodCounts | undefined }

/** Requests of the flood, per second. */
interface FloodRates {
  readonly accepted: number
  readonly limited: number
  /** Rejected with another status, or failed. */
  readonly others: number
  /** Not sent, because all connections waited for answers. */
  readonly skipped: number
}

interface Result {
  readonly tenant: Readonly<Record<Neighbour, CallersResult>>
  readonly flood: Readonly<Record<'limited' | 'unlimited', FloodRates>>
  /** Load average of the machine before each round. */
  readonly loads: readonly number[]
}

/** Whether a tenant at its limit slows down another one. Both append over HTTP with API keys, to one platform. */
export const tenants: Bench<Result> = {
  run: (say) =>
    withClosing(async (closing) => {
      const { url, keys } = await startGuardedPlatform(limitPerSecond, say, closing)
      const client = new AnnalsClient({ url, headers: { authorization: `Bearer ${keys.steady}` } })
      closing(() => client.close())
      const flood = await startFloodProcess(url)
      closing(() => flood.close())
      const measured: Record<Neighbour, Round[]> = { none: [], limited: [], unlimited: [] }
      const loads: number[] = []
      for (let round = 0; round < rounds; round++) {
        loads.push(loadavg()[0] ?? 0)
        say(`round ${round + 1} of ${rounds} …`)
        for (const name of names) {
          measured[name].push(await measure(client, flood, name === 'none' ? undefined : keys[name]))
          await sleep(calmMs)
        }
      }
      return {
        tenant: {
          none: medians(measured.none.map(figuresOf)),
          limited: medians(measured.limited.map(figuresOf)),
          unlimited: medians(measured.unlimited.map(figuresOf)),
        },
        flood: { limited: ratesOf(measured.limited), unlimited: ratesOf(measured.unlimited) },
        loads,
      }
    }),
  format,
}

let streams = 0

async function measure(client: AnnalsClient, flood: FloodProcess, key: string | undefined): Promise<Round> {
  const call = () =>
    client.append(`bench-http.steady-${process.pid}-${streams++}`, [appended], {
      expectedVersion: 'no-stream',
    })
  if (key !== undefined) flood.start(key, floodPerSecond)
  await steadyCalls(steadyPerSecond, warmUpMs, call)
  const result = await steadyCalls(steadyPerSecond, durationMs, call)
  return { ...result, flood: key === undefined ? undefined : await flood.stop() }
}

const figuresOf = ({ p50Ms, p99Ms, perSecond }: Round): CallersResult => ({ p50Ms, p99Ms, perSecond })

/** The medians of the rates of the floods. */
function ratesOf(measured: readonly Round[]): FloodRates {
  const floods = measured.flatMap(({ flood }) => (flood === undefined ? [] : [flood]))
  const rate = (countOf: (counts: FloodCounts) => number) =>
    Math.round(median(floods.map((counts) => countOf(counts) / counts.seconds)))
  return {
    accepted: rate(({ accepted }) => accepted),
    limited: rate(({ limited }) => limited),
    others: rate(({ overloaded, failed }) => overloaded + failed),
    skipped: rate(({ skipped }) => skipped),
  }
}

function format({ tenant, flood, loads }: Result): string {
  const rows = names.map((name) => {
    const { p50Ms, p99Ms, perSecond } = tenant[name]
    return [p50Ms.toFixed(2), p99Ms.toFixed(2), String(perSecond), neighbours[name]]
  })
  const floodRows = (['limited', 'unlimited'] as const).map((name) => {
    const { accepted, limited, others, skipped } = flood[name]
    return [...[accepted, limited, others, skipped].map(String), name]
  })
  return [
    `a tenant that appends ${steadyPerSecond} times a second (medians of ${rounds} rounds):`,
    formatTable(['p50 ms', 'p99 ms', 'per second', 'appends'], rows, 'text'),
    `the other tenant tries to send ${floodPerSecond} appends a second; its limit is ${limitPerSecond}:`,
    formatTable(['accepted/s', '429/s', 'others/s', 'not sent/s', 'limit'], floodRows, 'text'),
    `load average of the machine before each round: ${loads.map((load) => load.toFixed(1)).join(', ')}`,
  ].join('\n')
}
