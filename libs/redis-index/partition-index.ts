import { type StreamId, streamIdOf } from '#domain'

import { AcceptedStart } from './accepted-start.ts'
import type { Ask, Checked } from './asks.ts'
import { checkStreams, commitEntries, type CommitOptions, readIds } from './commits.ts'
import type { RedisConnection } from './connection.ts'
import type { Guard, IndexEntry } from './index-entry.ts'
import { claimIndex, dropIndex, dropSeenIndex, findTermBefore, readGuard } from './index-guard.ts'
import type { IndexParts } from './index-parts.ts'
import type { InspectedStream } from './inspected-stream.ts'
import { PartitionKeys } from './keys.ts'
import type { PartitionIndexOptions } from './partition-index-options.ts'
import type { StoredSnapshot } from './snapshot.ts'
import type { StoredIds } from './remembered-ids.ts'
import {
  type IndexedStream,
  type IndexedStreamInfo,
  type PlacesQuery,
  readInfo,
  readStream,
  streamInfo,
} from './stream-reads.ts'
import { inspectStreams, scanStreams } from './stream-scan.ts'
import { storeSnapshot } from './stream-snapshot.ts'
import type { GuardTerm } from './term-text.ts'

/**
 * The index of one partition of an event topic in Redis. Every method is one round trip unless it says otherwise, and rejects
 * with {@link IndexUnavailableError} while Redis does not answer. A method with a guard returns `guard-lost` when the guard does not hold.
 */
export class PartitionIndex {
  readonly #parts: IndexParts
  readonly #accepted: AcceptedStart

  constructor(redis: RedisConnection, options: PartitionIndexOptions) {
    const { topic, partition } = options
    this.#parts = { redis, options, keys: new PartitionKeys(redis.keyPrefix, topic, partition) }
    this.#accepted = new AcceptedStart(redis, topic, partition)
  }

  /** The guard in Redis; `undefined` for an index that is empty, or was found inconsistent and awaits its rebuild. */
  guard(): Promise<Guard | undefined> {
    return readGuard(this.#parts)
  }

  /**
   * Makes the guard's term the owner if topic and next offset match; an empty index is claimed at offset 0.
   * @param seen the result of {@link guard}: an index that has a new owner since then is not claimed.
   */
  claim(guard: Guard, seen?: Guard): Promise<'guard-lost' | Guard> {
    return claimIndex(this.#parts, guard, seen)
  }

  /** Deletes everything of the partition under any owner. Takes many round trips. */
  drop(): Promise<void> {
    return dropIndex(this.#parts)
  }

  /**
   * Deletes everything of the partition if its guard is still the result of {@link guard}: an index that has a new owner since then
   * stays. Takes many round trips.
   */
  dropSeen(seen: Guard | undefined): Promise<'guard-lost' | 'dropped'> {
    return dropSeenIndex(this.#parts, seen)
  }

  /**
   * The term at an offset: that of the last marker before it.
   * @param topicId of the topic that is read: the index may belong to another log.
   * @returns undefined when the index does not know it.
   */
  termBefore(topicId: string, offset: number): Promise<GuardTerm | undefined> {
    return findTermBefore(this.#parts, topicId, offset)
  }

  /**
   * Records an operator's decision: the log permanently lacks the events before an offset, and a rebuild serves the rest.
   * @param topicId of the topic; the decision holds for no other.
   */
  acceptDeletedBefore(topicId: string, offset: number): Promise<void> {
    return this.#accepted.accept(topicId, offset)
  }

  /** The offset of {@link acceptDeletedBefore} for this topic; 0 when it was not called. */
  acceptedStart(topicId: string): Promise<number> {
    return this.#accepted.read(topicId)
  }

  /** The ids of the events at this many last offsets are remembered. */
  get rememberedIdsMax(): number {
    return this.#parts.options.rememberedIdsMax
  }

  /** The versions of streams, and at which of the given places they have events. The guard must be the last commit's. */
  check(guard: Guard, asks: readonly Ask[]): Promise<'guard-lost' | readonly Checked[]> {
    return checkStreams(this.#parts, guard, asks)
  }

  /**
   * Applies events of the log, all or none, and advances the guard to `nextOffset`. It may be sent before the previous
   * commit is answered. After a lost answer, {@link guard} shows which of the two offsets holds.
   * @throws IndexMismatchError when an event does not follow the stored events of its stream.
   */
  commit(
    guard: Guard,
    entries: readonly IndexEntry[],
    nextOffset: number,
    options: CommitOptions = {},
  ): Promise<'guard-lost' | Guard> {
    return commitEntries(this.#parts, guard, entries, nextOffset, options)
  }

  /**
   * Yields the remembered ids of events, in the order of their commits. They count only if the last value is not `guard-lost`.
   */
  rememberedIds(guard: Guard): AsyncGenerator<'guard-lost' | StoredIds> {
    return readIds(this.#parts, guard)
  }

  /** A stream's version, its snapshot, and the places of its events in the log. */
  stream(guard: Guard, streamId: StreamId, query: PlacesQuery = {}): Promise<'guard-lost' | IndexedStream> {
    return readStream(this.#parts, guard, streamId, query)
  }

  /** `undefined` when there is no such stream. */
  info(guard: Guard, streamId: StreamId): Promise<'guard-lost' | IndexedStreamInfo | undefined> {
    return readInfo(this.#parts, guard, streamId)
  }

  /**
   * Stores a snapshot, unless the stored one is newer or the stream has not reached its version.
   * @returns whether it was stored.
   */
  saveSnapshot(streamId: StreamId, snapshot: StoredSnapshot): Promise<boolean> {
    return storeSnapshot(this.#parts, streamId, snapshot)
  }

  /** The number of streams. */
  async streamCount(): Promise<number> {
    return Number(await this.#parts.redis.call('HLEN', [this.#parts.keys.streams]))
  }

  /** Calls back for every stream, in no order, step by step. A stream that changes meanwhile may come twice. */
  async forEachStream(
    callback: (streamId: StreamId, info: IndexedStreamInfo) => Promise<void> | void,
  ): Promise<void> {
    for await (const batch of scanStreams(this.#parts)) {
      for (const [aggregateId, record] of batch) {
        await callback(streamIdOf(this.#parts.options.aggregateType, aggregateId), streamInfo(record))
      }
    }
  }

  /** Yields every stored aggregate id, readable or not, in no order; one may come twice. */
  async *aggregateIds(): AsyncGenerator<string> {
    for await (const batch of scanStreams(this.#parts)) for (const [aggregateId] of batch) yield aggregateId
  }

  /**
   * Everything stored of these streams, in their order. Ask for at most some hundreds at a time.
   * @returns the reason for an unreadable stream; undefined for one that does not exist.
   */
  inspect(
    guard: Guard,
    aggregateIds: readonly string[],
  ): Promise<'guard-lost' | readonly (InspectedStream | Error | undefined)[]> {
    return inspectStreams(this.#parts, guard, aggregateIds)
  }
}
