import { type StreamId, streamIdOf } from '#domain'

import { AcceptedStart } from './accepted-start.ts'
import type { Ask, Checked } from './asks.ts'
import { checkStreams, commitEntries, type CommitOptions } from './commits.ts'
import type { RedisConnection } from './connection.ts'
import type { Guard, IndexEntry } from './index-entry.ts'
import { claimIndex, dropIndex, dropSeenIndex, findTermBefore, readGuard } from './index-guard.ts'
import type { IndexParts } from './index-parts.ts'
import type { InspectedStream } from './inspected-stream.ts'
import { PartitionKeys } from './keys.ts'
import type { PartitionIndexOptions } from './partition-index-options.ts'
import type { StoredSnapshot } from './snapshot.ts'
import { storeRead, storeSnapshot } from './stream-cache.ts'
import type { IndexedEvents, LoadedFromIndex } from './stream-parts.ts'
import { type IndexedStreamInfo, loadStream, readEvents, readInfo, streamInfo } from './stream-reads.ts'
import { inspectStreams, scanStreams } from './stream-scan.ts'
import type { Term } from './term-text.ts'

/**
 * What Redis holds for one partition of an event topic. Every method is one round trip unless it says otherwise, and rejects
 * with {@link IndexUnavailableError} while Redis does not answer. A method with a guard answers `guard-lost` where it does not hold.
 */
export class PartitionIndex {
  readonly #parts: IndexParts
  readonly #accepted: AcceptedStart

  constructor(redis: RedisConnection, options: PartitionIndexOptions) {
    const { topic, partition } = options
    this.#parts = { redis, options, keys: new PartitionKeys(redis.keyPrefix, topic, partition) }
    this.#accepted = new AcceptedStart(redis, topic, partition)
  }

  /** What Redis holds now; `undefined` for an index that is empty, or was found wrong and awaits its rebuild. */
  guard(): Promise<Guard | undefined> {
    return readGuard(this.#parts)
  }

  /**
   * Makes the guard's term the owner, where topic and next offset are as it says; an empty index is claimed at offset 0.
   * @param seen what {@link guard} answered: an index that has a new owner since is not taken from it.
   */
  claim(guard: Guard, seen?: Guard): Promise<'guard-lost' | Guard> {
    return claimIndex(this.#parts, guard, seen)
  }

  /** Deletes everything of the partition, whoever owns it. Takes many round trips. */
  drop(): Promise<void> {
    return dropIndex(this.#parts)
  }

  /**
   * Deletes everything of the partition where its guard is still what {@link guard} answered: an index that has a new owner since
   * stays. Takes many round trips.
   */
  dropSeen(seen: Guard | undefined): Promise<'guard-lost' | 'dropped'> {
    return dropSeenIndex(this.#parts, seen)
  }

  /**
   * The term that holds at an offset: of the last marker before it.
   * @param topicId of the topic that is read: the index may be of another log.
   * @returns undefined where the index does not know.
   */
  termBefore(topicId: string, offset: number): Promise<Term | undefined> {
    return findTermBefore(this.#parts, topicId, offset)
  }

  /**
   * Records an operator's decision: the log permanently lacks what is before an offset, and a rebuild serves what is left.
   * @param topicId of the topic; the decision holds for no other.
   */
  acceptDeletedBefore(topicId: string, offset: number): Promise<void> {
    return this.#accepted.accept(topicId, offset)
  }

  /** Up to where {@link acceptDeletedBefore} was called for this topic; 0 where it was not. */
  acceptedStart(topicId: string): Promise<number> {
    return this.#accepted.read(topicId)
  }

  /** The versions of streams, and which of the event ids they have already. */
  check(guard: Guard, asks: readonly Ask[]): Promise<'guard-lost' | Checked> {
    return checkStreams(this.#parts, guard, asks)
  }

  /**
   * Applies events that are in the log, all or none, and moves the guard on to `nextOffset`. It may be sent before the previous
   * commit is answered. When an answer is lost, {@link guard} shows which of the two offsets holds.
   * @throws IndexMismatchError where an event does not follow what the index holds of its stream.
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
   * What is needed to rebuild an aggregate, as far as Redis has it, and where in the log the first {@link missingEventsMax} of
   * the missing events are.
   * @param options.stateVersion only a snapshot of this state version is used; without it, none is.
   */
  load(
    guard: Guard,
    streamId: StreamId,
    { stateVersion = 0 }: { readonly stateVersion?: number } = {},
  ): Promise<'guard-lost' | LoadedFromIndex> {
    return loadStream(this.#parts, guard, streamId, stateVersion)
  }

  /** The events of these versions, both inclusive, from 1: those that Redis has, and where in the log all of them are. */
  events(
    guard: Guard,
    streamId: StreamId,
    fromVersion: number,
    toVersion: number,
  ): Promise<'guard-lost' | IndexedEvents> {
    return readEvents(this.#parts, guard, streamId, fromVersion, toVersion)
  }

  /** `undefined` where there is no such stream. */
  info(guard: Guard, streamId: StreamId): Promise<'guard-lost' | IndexedStreamInfo | undefined> {
    return readInfo(this.#parts, guard, streamId)
  }

  /**
   * Keeps a snapshot, unless the stored one is newer, or the stream is not yet at its version. Cuts the tail up to it.
   * @returns whether it was kept.
   */
  saveSnapshot(streamId: StreamId, snapshot: StoredSnapshot): Promise<boolean> {
    return storeSnapshot(this.#parts, streamId, snapshot)
  }

  /** Keeps events that were just read from the log, contiguous from `fromVersion`, for the next reader. */
  cacheStream(
    guard: Guard,
    streamId: StreamId,
    fromVersion: number,
    payloads: readonly Buffer[],
  ): Promise<'guard-lost' | 'kept'> {
    return storeRead(this.#parts, guard, streamId, fromVersion, payloads)
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

  /** The aggregate ids under which it holds streams, readable or not; as {@link forEachStream}. */
  async *aggregateIds(): AsyncGenerator<string> {
    for await (const batch of scanStreams(this.#parts)) for (const [aggregateId] of batch) yield aggregateId
  }

  /**
   * Everything that it holds of these streams, in their order; some hundreds at a time.
   * @returns for a stream that cannot be read the reason, for one that does not exist undefined.
   */
  inspect(
    guard: Guard,
    aggregateIds: readonly string[],
  ): Promise<'guard-lost' | readonly (InspectedStream | Error | undefined)[]> {
    return inspectStreams(this.#parts, guard, aggregateIds)
  }
}
