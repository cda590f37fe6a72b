import { eventTopic, streamIdOf } from '#domain'
import { LogReader } from '#kafka'
import { connectRedis, PartitionIndex } from '#redis-index'
import { redisSettings } from '#service'

import { IndexCatchUp } from '../services/writer/partition/index-catch-up.ts'
import type { CoreWriter } from './contenders/core.ts'
import { appended } from './domain/domain.ts'
import { type Bench, median, timeMs } from './measure.ts'
import { withCore } from './with-core.ts'

const streams = 40_000
const eventsPerStream = 10
const inFlight = 512
const rounds = 3

/** How many events {@link fill} appends. */
export const filledEvents = streams * eventsPerStream

interface Result {
  readonly events: number
  readonly streams: number
  readonly partitions: number
  readonly perSecond: number
}

/** Rebuilds the index of all partitions from the log, concurrently, under an empty key prefix in Redis. */
export const rebuild: Bench<Result> = {
  run: (say) =>
    withCore(say, async (core) => {
      const events = filledEvents
      say(`${events} events in ${streams} streams …`)
      await fill(core)
      const rates: number[] = []
      for (let round = 0; round < rounds; round++) {
        rates.push((events / (await timeMs(() => rebuildAll(core, round)))) * 1_000)
      }
      const { partitions } = core.config.kafka
      return { events, streams, partitions, perSecond: Math.round(median(rates)) }
    }),
  format: ({ events, streams: count, partitions, perSecond }) =>
    `${perSecond} events/s: ${events} events of ${count} streams, ${partitions} partitions concurrently`,
}

/** Every stream gets its events in two appends, so that streams are scattered over the log. */
export async function fill({ service }: CoreWriter): Promise<void> {
  const half = Array.from({ length: eventsPerStream / 2 }, () => appended)
  let next = 0
  const worker = async () => {
    for (let n = next++; n < 2 * streams; n = next++) {
      await service.writer.local.append(streamIdOf('bench-core', String(n % streams)), half)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

export async function rebuildAll({ backends, config }: CoreWriter, round: number): Promise<void> {
  const redis = connectRedis({ ...redisSettings(config), keyPrefix: `rebuild-${round}` })
  await redis.ready()
  const reader = new LogReader(backends.cluster)
  const topic = eventTopic('bench-core')
  const { topicId } = await backends.cluster.topic(topic)
  const partitions = Array.from({ length: config.kafka.partitions }, (_, partition) => partition)
  await Promise.all(
    partitions.map(async (partition) => {
      const index = new PartitionIndex(redis, {
        topic,
        partition,
        aggregateType: 'bench-core',
        snapshotTtlSeconds: 3_600,
        rememberedIdsMax: config.index.rememberedIdsMax,
      })
      const catchUp = new IndexCatchUp({
        topic,
        partition,
        index,
        reader,
        onProgress: () => undefined,
        onForeign: () => undefined,
      })
      const term = (await reader.lastTerm(topic, partition)) ?? { producerId: 1n, epoch: 1 }
      await catchUp.toMarker({ topicId, ...term }, await reader.endOffset(topic, partition))
    }),
  )
  redis.close()
}
