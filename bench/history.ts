import { type StreamId, streamIdOf } from '#domain'

import type { CoreWriter } from './contenders/core.ts'
import { appended } from './domain/domain.ts'
import { type Bench, median, timeMs } from './measure.ts'
import { withCore } from './with-core.ts'

const streams = 10
const events = 1_000
const warmReads = 20

interface Result {
  /** Events per stream, each in its own batch. */
  readonly events: number
  readonly coldP50Ms: number
  readonly warmP50Ms: number
}

/** Reads a stream of 1,000 events: the first time from the log, spread over 1,000 batches; then from Redis. */
export const history: Bench<Result> = {
  run: (say) =>
    withCore(say, async (core) => {
      say(`${streams} streams of ${events} events, one append each …`)
      const ids = Array.from({ length: streams }, (_, n) => streamIdOf('bench-core', String(n)))
      // One after another, so that no batch has events of two streams and every stream is cold.
      for (const id of ids) await fill(core, id)
      const cold: number[] = []
      for (const id of ids) cold.push(await timeMs(() => read(core, id)))
      const warm: number[] = []
      for (let n = 0; n < warmReads; n++) {
        const id = ids[n % streams] as StreamId
        warm.push(await timeMs(() => read(core, id)))
      }
      return { events, coldP50Ms: round(median(cold)), warmP50Ms: round(median(warm)) }
    }),
  format: ({ coldP50Ms, warmP50Ms }) =>
    `a stream of ${events} events: p50 ${coldP50Ms} ms cold from ${events} batches of the log, ${warmP50Ms} ms from Redis`,
}

async function fill({ service }: CoreWriter, id: StreamId): Promise<void> {
  for (let n = 0; n < events; n++) await service.writer.local.append(id, [appended])
}

async function read({ service }: CoreWriter, id: StreamId): Promise<void> {
  const page = await service.writer.local.read(id, { limit: events })
  if (page.events.length !== events) throw new Error(`read ${page.events.length} events`)
}

const round = (ms: number): number => Math.round(ms * 10) / 10
