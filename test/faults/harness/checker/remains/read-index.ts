import { setTimeout as pause } from 'node:timers/promises'

import { connectRedis, type InspectedStream, PartitionIndex, type RedisConnection } from '#redis-index'

import type { IndexedStream, LoggedEvent, StoredSnapshot } from '../../history.ts'
import type { PlainAvro } from './plain-avro.ts'
import { againMs, eventTopicOf, patienceMs, type Where } from './where.ts'

interface FromRedis {
  readonly index: readonly IndexedStream[]
  readonly snapshots: readonly StoredSnapshot[]
}

const streamsAtOnce = 100

/**
 * What Redis has of every partition, read with the product's own reader: the layout of the keys is not a public
 * interface.
 */
export async function readIndex(
  where: Where,
  log: readonly LoggedEvent[],
  avro: PlainAvro,
): Promise<FromRedis> {
  const redis = connectRedis({ url: where.redisUrl, keyPrefix: where.redisKeyPrefix })
  try {
    await redis.ready()
    const found = await Promise.all(oneOfEachPartition(log).map((event) => readPartition(redis, event)))
    return await sorted(found.flat(), avro)
  } finally {
    redis.close()
  }
}

const oneOfEachPartition = (log: readonly LoggedEvent[]): readonly LoggedEvent[] => [
  ...new Map(log.map((event) => [`${event.topic}/${event.partition}`, event])).values(),
]

type Found = readonly [streamId: string, stream: InspectedStream]

async function readPartition(
  redis: RedisConnection,
  { topic, partition }: Pick<LoggedEvent, 'topic' | 'partition'>,
): Promise<readonly Found[]> {
  const aggregateType = topic.slice(eventTopicOf('').length)
  const index = new PartitionIndex(redis, {
    ...{ topic, partition, aggregateType },
    ...{ snapshotTtlSeconds: 60, rememberedIdsMax: 1_000 },
  })
  const deadlineMs = performance.now() + patienceMs
  for (;;) {
    const found = await readStreams(index, aggregateType)
    if (found !== undefined) return found
    // A take-over happened in between.
    if (performance.now() > deadlineMs) throw new Error(`the index of ${topic}/${partition} keeps changing`)
    await pause(againMs)
  }
}

async function readStreams(
  index: PartitionIndex,
  aggregateType: string,
): Promise<readonly Found[] | undefined> {
  const guard = await index.guard()
  if (guard === undefined) return undefined
  const ids = await Array.fromAsync(index.aggregateIds())
  const found: Found[] = []
  for (let at = 0; at < ids.length; at += streamsAtOnce) {
    const some = ids.slice(at, at + streamsAtOnce)
    const streams = await index.inspect(guard, some)
    if (streams === 'guard-lost') return undefined
    for (const [place, stream] of streams.entries()) {
      if (stream instanceof Error) throw stream
      if (stream !== undefined) found.push([`${aggregateType}.${some[place] ?? ''}`, stream])
    }
  }
  return found
}

async function sorted(found: readonly Found[], avro: PlainAvro): Promise<FromRedis> {
  const snapshots = found.flatMap(([streamId, { snapshot }]) =>
    snapshot === undefined ? [] : [{ streamId, snapshot }],
  )
  return {
    index: found.map(([streamId, { version, offsets }]) => ({ streamId, version, offsets })),
    snapshots: await Promise.all(
      snapshots.map(async ({ streamId, snapshot: { version, state } }) => ({
        from: 'redis' as const,
        ...{ streamId, version, state: await avro.decode(state) },
      })),
    ),
  }
}
