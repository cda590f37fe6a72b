import { onTestFinished } from 'vitest'

import { newEventId, type StreamId, type Version } from '#domain'
import {
  connectRedis,
  type Guard,
  type IndexEntry,
  PartitionIndex,
  type PartitionIndexOptions,
  type RedisConnection,
} from '#redis-index'

import { uniqueName } from '../stack/stack.ts'

/** A command may take so long where no test is about that: shared machines stand still for seconds at times. */
export const patientMs = 30_000

/** A connection under a key prefix of its own, closed when the test ends. */
export async function openRedis(url: string, commandTimeoutMs = patientMs): Promise<RedisConnection> {
  const redis = connectRedis({ url, keyPrefix: uniqueName('test'), commandTimeoutMs })
  onTestFinished(() => redis.close())
  await redis.ready(patientMs)
  return redis
}

export const indexOptions: PartitionIndexOptions = {
  topic: 'eventstore.order',
  partition: 3,
  aggregateType: 'order',
  tailEventsMax: 100,
  tailTtlSeconds: 60,
  rememberedIdsMax: 10_000,
}

export function indexOf(
  redis: RedisConnection,
  options: Partial<PartitionIndexOptions> = {},
): PartitionIndex {
  return new PartitionIndex(redis, { ...indexOptions, ...options })
}

/** The answer, where the guard held. */
export function held<T>(answer: 'guard-lost' | T): T {
  if (answer === 'guard-lost') throw new Error('the guard was lost')
  return answer
}

export const start: Guard = { topicId: 'topic-1', producerId: 1n, epoch: 1, nextOffset: 0 }

/** What a catch-up is given of a log whose head was never deleted, by its last owner. */
export const wholeLog = { isLastTerm: () => Promise.resolve(true), startOffset: 0, acceptedStart: 0 }

/** An index that is claimed and empty. */
export async function claimed(
  redis: RedisConnection,
  options: Partial<PartitionIndexOptions> = {},
): Promise<{ index: PartitionIndex; guard: Guard }> {
  const index = indexOf(redis, options)
  return { index, guard: held(await index.claim(start)) }
}

export const order = (id: string): StreamId => `order.${id}` as StreamId

export const entry = (
  id: string,
  version: number,
  offset: number,
  more: Partial<IndexEntry> = {},
): IndexEntry => ({
  streamId: order(id),
  version: version as Version,
  offset,
  eventId: newEventId(),
  timestampMs: Date.now(),
  payload: Buffer.from(`${id} ${version}`),
  ...more,
})

/** Versions `from` to `to` of a stream, one at each offset from `offset` on. */
export const entries = (id: string, from: number, to: number, offset: number): IndexEntry[] =>
  Array.from({ length: to - from + 1 }, (_, step) => entry(id, from + step, offset + step))

export const payloadsOf = (events: readonly IndexEntry[]): Buffer[] => events.map(({ payload }) => payload)

/** Where in the log these events are, as the index answers. */
export const placesOf = (events: readonly IndexEntry[]) =>
  events.map(({ version, offset }) => ({ version, offset }))

/** All keys with this prefix on one Redis, or on the node that the connection goes to. */
export async function keysOf(redis: RedisConnection): Promise<string[]> {
  return ((await redis.call('KEYS', [`{${redis.keyPrefix}:*`])) as Buffer[]).map(String).sort()
}
