import { Repository } from '#domain'

import { measureCallers } from '../callers.ts'
import type { RunningWriter } from '../contenders/core.ts'
import { benchAggregate } from '../domain/domain.ts'
import { scaleType } from './fill.ts'

const durationMs = 2_000
const hotStreams = 1_000
const aggregate = benchAggregate(scaleType)

/** The p50 of loads, one after the other, of the latest streams and of any stream. */
export async function measureLoads({ service }: RunningWriter, streams: number) {
  // A cache of one entry, so that every load reads from the store.
  const repository = new Repository(service.writer.local, aggregate, { cachedMax: 1 })
  const p50Of = async (choose: () => number) => {
    const load = () => repository.load(String(choose()))
    return (await measureCallers(1, durationMs, load)).p50Ms
  }
  const below = (count: number) => Math.floor(Math.random() * count)
  return {
    hotLoadP50Ms: await p50Of(() => streams - 1 - below(Math.min(hotStreams, streams))),
    coldLoadP50Ms: await p50Of(() => below(streams)),
  }
}
