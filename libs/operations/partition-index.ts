import type { Config } from '#config'
import { PartitionIndex, type RedisConnection } from '#redis-index'

/** The index of a partition, with the settings that writers of this configuration use. */
export const partitionIndex = (
  { index }: Pick<Config, 'index'>,
  redis: RedisConnection,
  place: { readonly topic: string; readonly partition: number; readonly aggregateType: string },
): PartitionIndex =>
  new PartitionIndex(redis, {
    topic: place.topic,
    partition: place.partition,
    aggregateType: place.aggregateType,
    snapshotTtlSeconds: Math.ceil(index.snapshotTtlMs / 1_000),
    rememberedIdsMax: index.rememberedIdsMax,
  })
