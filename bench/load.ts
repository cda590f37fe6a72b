import {
  aggregateTypeOf,
  eventTopic,
  fold,
  partitionFor,
  Repository,
  type StreamId,
  streamIdOf,
  versionAfter,
} from '#domain'
import { PartitionIndex } from '#redis-index'

import { type CallersResult, measureCallers } from './callers.ts'
import type { CoreWriter } from './contenders/core.ts'
import { appended, benchAggregate } from './domain/domain.ts'
import type { Bench } from './measure.ts'
import { withCore } from './with-core.ts'

const streams = 2_000
const snapshotAt = 10
const tailEvents = 10
const levels = [1, 64]
const warmUpMs = 1_000
const durationMs = 4_000

const aggregate = benchAggregate('bench-core')

type Level = { readonly callers: number } & CallersResult

/**
 * Loads aggregates in process: twenty events from the owner's memory, decoded and folded.
 */
export const load: Bench<readonly Level[]> = {
  run: (say) =>
    withCore(say, async (core) => {
      say(`${streams} streams of ${snapshotAt + tailEvents} events …`)
      await Promise.all(Array.from({ length: streams }, (_, n) => prepare(core, streamOf(n))))
      // A cache of one entry, so that every load reads from the store.
      const repository = new Repository(core.service.writer.local, aggregate, { cachedMax: 1 })
      const call = async (n: number) => {
        const { version } = await repository.load(String(n % streams))
        if (version !== snapshotAt + tailEvents) throw new Error(`loaded version ${version}`)
      }
      const results: Level[] = []
      for (const callers of levels) {
        await measureCallers(callers, warmUpMs, call)
        results.push({ callers, ...(await measureCallers(callers, durationMs, call)) })
      }
      return results
    }),
  format: (results) =>
    results
      .map(
        ({ callers, perSecond, p50Ms, p99Ms }) =>
          `${callers} callers: ${perSecond} loads/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`,
      )
      .join('\n'),
}

const streamOf = (n: number): StreamId => streamIdOf('bench-core', String(n))

async function prepare({ service, backends, config }: CoreWriter, streamId: StreamId): Promise<void> {
  const { local } = service.writer
  const before = Array.from({ length: snapshotAt }, () => appended)
  const { lastVersion } = await local.append(streamId, before)
  const topic = eventTopic(aggregateTypeOf(streamId))
  const index = new PartitionIndex(backends.redis, {
    topic,
    partition: partitionFor(streamId, config.kafka.partitions),
    aggregateType: aggregateTypeOf(streamId),
    snapshotTtlSeconds: 3_600,
    rememberedIdsMax: config.index.rememberedIdsMax,
  })
  const state = backends.codec.encode('bench-core', 'BenchState', fold(aggregate, before), 'snapshot')
  await index.saveSnapshot(streamId, {
    version: lastVersion,
    stateVersion: 1,
    timestampMs: Date.now(),
    state,
  })
  await local.append(
    streamId,
    Array.from({ length: tailEvents }, () => appended),
    { expectedVersion: versionAfter(lastVersion, 0) },
  )
}
