import { expect, vi } from 'vitest'

import { aggregateIdOf, type AppendResult, eventTopic, type StreamId } from '#domain'
import { type StoredEvent, storedEvent } from '#event-log/records'
import { KafkaCluster, LogReader, Topics } from '#kafka'
import { connectRedis, PartitionIndex, type RedisConnection } from '#redis-index'

import type { Installation } from '../services/real-writer.ts'

/** One partition's events, read directly from the log. */
export interface LoggedPartition {
  readonly topic: string
  readonly partition: number
  readonly events: readonly StoredEvent[]
  readonly endOffset: number
}

/** The whole log of an installation. */
export async function readLog({ env, domain }: Installation): Promise<LoggedPartition[]> {
  const brokers = (env['ANNALS_KAFKA_BROKERS'] ?? '').split(',')
  const cluster = await KafkaCluster.connect({ brokers, clientId: 'log-check' })
  try {
    const topics = await new Topics(cluster).describe(domain.types.map(eventTopic))
    const reader = new LogReader(cluster)
    return await Promise.all(
      topics.flatMap(({ name, partitions }) =>
        Array.from({ length: partitions }, (_, partition) => readPartition(reader, name, partition)),
      ),
    )
  } finally {
    await cluster.close()
  }
}

async function readPartition(reader: LogReader, topic: string, partition: number): Promise<LoggedPartition> {
  const endOffset = await reader.endOffset(topic, partition)
  const pieces = await Array.fromAsync(reader.read(topic, partition, { from: 0, until: endOffset }))
  return { topic, partition, events: pieces.flat().map(storedEvent), endOffset }
}

/** The events of each stream, in the order of the log. */
export const byStream = (log: readonly LoggedPartition[]): Map<StreamId, StoredEvent[]> =>
  Map.groupBy(
    log.flatMap(({ events }) => events),
    ({ streamId }) => streamId,
  )

/** Expects that every stream has the versions 1, 2, 3 … and that no event appears twice. */
export function expectSound(log: readonly LoggedPartition[]): void {
  const ids = log.flatMap(({ events }) => events.map(({ id }) => id))
  expect(new Set(ids).size, 'unique event ids in the log').toBe(ids.length)
  for (const [streamId, events] of byStream(log)) {
    const versions = events.map(({ version }) => version)
    expect(versions, `versions of ${streamId}`).toEqual(events.map((_, index) => index + 1))
  }
}

/** Expects that the events of every acknowledged append are in the log, at the answered versions and position. */
export function expectAcknowledged(log: readonly LoggedPartition[], results: readonly AppendResult[]): void {
  const streams = byStream(log)
  const places = new Map(
    log.flatMap(({ topic, partition, events }) =>
      events.map(({ id, offset }) => [id, { topic, partition, offset }] as const),
    ),
  )
  for (const { streamId, firstVersion, lastVersion, eventIds, position } of results) {
    const events = streams.get(streamId)?.slice(firstVersion - 1, lastVersion) ?? []
    expect(
      events.map(({ id }) => id),
      `events acknowledged for ${streamId}`,
    ).toEqual(eventIds)
    expect(position).toEqual(places.get(eventIds.at(-1) as (typeof eventIds)[number]))
  }
}

/**
 * Expects that Redis holds exactly the streams and offsets of the log. Partitions may still move after the traffic has ended, and
 * every take-over adds a marker, so both are read repeatedly until they agree.
 */
export async function expectIndexEqualsLog(where: Installation): Promise<void> {
  const redis = connectRedis({
    url: where.env['ANNALS_REDIS_URL'] ?? '',
    keyPrefix: where.env['ANNALS_REDIS_KEY_PREFIX'] ?? '',
  })
  try {
    await redis.ready()
    await vi.waitFor(() => compare(redis, where), { timeout: 30_000, interval: 200 })
  } finally {
    redis.close()
  }
}

async function compare(redis: RedisConnection, where: Installation): Promise<void> {
  for (const partition of await readLog(where)) {
    const name = `index of ${partition.topic}/${partition.partition}`
    expect(await indexed(redis, partition), name).toEqual(logged(partition))
  }
}

interface StreamOffsets {
  readonly nextOffset: number | undefined
  readonly streams: Readonly<Record<string, readonly number[]>>
}

const logged = ({ events, endOffset }: LoggedPartition): StreamOffsets => ({
  nextOffset: endOffset,
  streams: Object.fromEntries(
    [...Map.groupBy(events, ({ streamId }) => streamId)].map(([streamId, own]) => [
      streamId,
      own.map(({ offset }) => offset),
    ]),
  ),
})

async function indexed(
  redis: RedisConnection,
  { topic, partition }: LoggedPartition,
): Promise<StreamOffsets> {
  const index = new PartitionIndex(redis, {
    topic,
    partition,
    aggregateType: topic.slice(topic.indexOf('.') + 1),
    snapshotTtlSeconds: 60,
    rememberedIdsMax: 1_000,
  })
  const guard = await index.guard()
  const streams: Record<string, readonly number[]> = {}
  if (guard === undefined) return { nextOffset: undefined, streams }
  const streamIds = new Set<StreamId>()
  await index.forEachStream((streamId) => void streamIds.add(streamId))
  for (const streamId of streamIds) {
    const inspected = await index.inspect(guard, [aggregateIdOf(streamId)])
    if (inspected === 'guard-lost' || inspected[0] instanceof Error) streams[streamId] = []
    else streams[streamId] = inspected[0]?.offsets ?? []
  }
  return { nextOffset: guard.nextOffset, streams }
}
