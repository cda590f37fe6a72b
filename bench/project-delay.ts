import pino from 'pino'
import { Registry } from 'prom-client'

import { RedisViewStore } from '#projections-redis'

import { Projector, projectorSettings } from '../services/projector/index.ts'
import { withClosing } from './closing.ts'
import type { RunningWriter } from './contenders/core.ts'
import { percentile } from './measure.ts'
import type { PurchaseAppend } from './project-purchases.ts'

export interface Delay {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export interface DelayResult {
  readonly appendsPerSecond: number
  /** CPU time of this process per append, including its two reads. */
  readonly cpuMicros: number
  /** From sending an append to its acknowledgement. */
  readonly append: Delay
  /** From the acknowledgement of an append until a read that waits for it (`after`) returns its view. */
  readonly lifetime: Delay
  readonly monthly: Delay
}

const perSecond = 1_000
const warmUpMs = 3_000
const durationMs = 15_000
const tickMs = 2
/** Late answers are measured, not cut off. */
const waitMsMax = 60_000

/** Durations of operations that start after the warm-up. */
interface Times {
  readonly append: number[]
  readonly lifetime: number[]
  readonly monthly: number[]
}

/**
 * Appends at a constant rate, however long earlier ones take, through the writer in this process, next to a projector.
 */
export function measureDelay(
  writer: RunningWriter,
  purchases: readonly PurchaseAppend[],
): Promise<DelayResult> {
  return withClosing(async (closing) => {
    const { backends, config } = writer
    const projector = new Projector({
      ...backends,
      store: new RedisViewStore(backends.redis),
      advertisedUrl: config.http.advertisedUrl,
      verifyPeer: () => Promise.resolve('verified'),
      onForeign: () => undefined,
      settings: { ...projectorSettings(config), afterTimeoutMs: waitMsMax },
      metrics: new Registry(),
      logger: pino({ level: 'warn' }),
    })
    await projector.start()
    closing(() => projector.stop())
    await untilCaughtUp(projector)
    const cpu = process.cpuUsage()
    const times: Times = { append: [], lifetime: [], monthly: [] }
    const started = await atConstantRate(async (n, sinceMs) => {
      const purchase = purchases[n % purchases.length]
      if (purchase !== undefined)
        await appendAndRead(writer, projector, purchase, sinceMs < warmUpMs ? undefined : times)
    })
    const { user, system } = process.cpuUsage(cpu)
    return {
      cpuMicros: Math.round((user + system) / started),
      appendsPerSecond: Math.round((started / (warmUpMs + durationMs)) * 1_000),
      append: delayOf(times.append),
      lifetime: delayOf(times.lifetime),
      monthly: delayOf(times.monthly),
    }
  })
}

async function untilCaughtUp({ api }: Projector): Promise<void> {
  for (;;) {
    const infos = await api.list()
    const partitions = infos.flatMap(({ generations }) => generations.flatMap((each) => each.partitions))
    if (partitions.length > 0 && partitions.every(({ lag }) => lag === 0)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** @returns how many were started; all of them have ended */
async function atConstantRate(start: (n: number, sinceMs: number) => Promise<void>): Promise<number> {
  const inFlight: Promise<void>[] = []
  const startMs = performance.now()
  for (let sinceMs = 0; sinceMs < warmUpMs + durationMs; sinceMs = performance.now() - startMs) {
    while (inFlight.length < (sinceMs * perSecond) / 1_000) inFlight.push(start(inFlight.length, sinceMs))
    await new Promise((resolve) => setTimeout(resolve, tickMs))
  }
  await Promise.all(inFlight)
  return inFlight.length
}

async function appendAndRead(
  { service }: RunningWriter,
  { api }: Projector,
  { streamId, event }: PurchaseAppend,
  times: Times | undefined,
): Promise<void> {
  const sentMs = performance.now()
  const { position } = await service.writer.local.append(streamId, [event])
  const ackedMs = performance.now()
  times?.append.push(ackedMs - sentMs)
  const read = async (name: string, key: string, into: number[] | undefined) => {
    await api.view(name, key, { after: position, timeoutMs: waitMsMax })
    into?.push(performance.now() - ackedMs)
  }
  const { date } = event.data as { readonly date: string }
  await Promise.all([
    read('customer-lifetime', streamId.slice('customer.'.length), times?.lifetime),
    read('monthly-revenue', date.slice(0, 7), times?.monthly),
  ])
}

const delayOf = (times: readonly number[]): Delay => ({
  p50Ms: rounded(percentile(times, 50)),
  p99Ms: rounded(percentile(times, 99)),
  maxMs: rounded(Math.max(...times)),
})

const rounded = (ms: number): number => Math.round(ms * 10) / 10
