import { onTestFinished } from 'vitest'

import { type EventId, newEventId, parseEventId, type StreamId, type Version } from '#domain'
import {
  connectRedis,
  type EventPlace,
  type Guard,
  type IndexEntry,
  PartitionIndex,
  type PartitionIndexOptions,
  type RedisConnection,
} from '#redis-index'

import { uniqueName } from '../stack/stack.ts'

/** Time-out of a command in tests that do not test time-outs. Shared machines pause for seconds at times. */
export const patientMs = 30_000

/** A connection with a unique key prefix, closed at the end of the test. */
export async function openRedis(url: string, commandTimeoutMs = patientMs): Promise<RedisConnection> {
  const redis = connectRedis({ url, keyPrefix: uniqueName('test'), commandTimeoutMs })
  onTestFinished(() => redis.close())
  await redis.ready(patientMs)
  return redis
}

const indexOptions: PartitionIndexOptions = {
  topic: 'eventstore.order',
  partition: 3,
  aggregateType: 'order',
  snapshotTtlSeconds: 60,
  rememberedIdsMax: 10_000,
}

export function indexOf(
  redis: RedisConnection,
  options: Partial<PartitionIndexOptions> = {},
): PartitionIndex {
  return new PartitionIndex(redis, { ...indexOptions, ...options })
}

/** The answer. @throws Error when the guard was lost. */
export function held<T>(answer: 'guard-lost' | T): T {
  if (answer === 'guard-lost') throw new Error('the guard was lost')
  return answer
}

export const start: Guard = { topicId: 'topic-1', producerId: 1n, epoch: 1, nextOffset: 0 }

/** The catch-up context of a log with its head, for its last owner. */
export const wholeLog = { isLastTerm: () => Promise.resolve(true), startOffset: 0, acceptedStart: 0 }

/** A claimed, empty index. */
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
  ...more,
})

/** Versions `from` to `to` of a stream, one at each offset from `offset` on. */
export const entries = (id: string, from: number, to: number, offset: number): IndexEntry[] =>
  Array.from({ length: to - from + 1 }, (_, step) => entry(id, from + step, offset + step))

/** The versions and offsets of events, in the form of the index's answers. */
export const placesOf = (events: readonly IndexEntry[]) =>
  events.map(({ version, offset }) => ({ version, offset }))

/** An event id that the index remembers, and the place of its event. */
export interface RememberedId extends EventPlace {
  readonly id: EventId
}

/** The ids that the index remembers, in the order of their commits. @throws Error when the guard was lost. */
export async function rememberedIdsOf(index: PartitionIndex, guard: Guard): Promise<RememberedId[]> {
  const ids: RememberedId[] = []
  for await (const stored of index.rememberedIds(guard)) {
    held(stored).forEach(({ buffer, byteOffset }, at, version, offset) =>
      ids.push({ id: idAt(Buffer.from(buffer, byteOffset + at, 16)), version, offset }),
    )
  }
  return ids
}

const idAt = (bytes: Buffer): EventId =>
  parseEventId(bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'))

/** The ids and places of events, in the form of {@link rememberedIdsOf}. */
export const idsOf = (events: readonly IndexEntry[]): RememberedId[] =>
  events.map(({ eventId, version, offset }) => ({ id: eventId, version, offset }))

/** All keys with this prefix on one Redis, or on the connection's node of a cluster. */
export async function keysOf(redis: RedisConnection): Promise<string[]> {
  return ((await redis.call('KEYS', [`{${redis.keyPrefix}:*`])) as Buffer[]).map(String).sort()
}
