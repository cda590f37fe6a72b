import type { EventId, StreamId, Version } from '#domain'
import type { EncodedEvent, StoredEvent } from '#event-log/records'
import type { EventPlace, Guard, PartitionIndex } from '#redis-index'

import { IdWindow } from './id-window.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { RecentStream, RecentStreams, Remembering } from './recent-streams.ts'

/** What all partitions of a process share. */
export interface OwnerMemory {
  readonly streams: RecentStreams
  /** For the windows of event ids. */
  readonly ids: MemoryBudget
}

/**
 * What an owner remembers of its partition, so that it need not ask the index: the ids of the latest events, and the versions and the
 * last events of recently used streams. It follows the log: an event is added when the log has it.
 */
export class TermMemory implements Remembering {
  readonly #streams: RecentStreams
  readonly #ids: IdWindow
  /** Streams with events at this offset or later may have been evicted. */
  #evictedUntil = -1

  constructor({ streams, ids }: OwnerMemory, rememberedIdsMax: number) {
    this.#streams = streams
    this.#ids = new IdWindow(rememberedIdsMax, ids)
  }

  /** Event ids in memory. */
  get ids(): number {
    return this.#ids.size
  }

  /** Reads the ids that the index has stored. @throws IndexUnavailableError @returns `guard-lost` if the guard does not hold. */
  async load(index: Pick<PartitionIndex, 'rememberedIds'>, guard: Guard): Promise<'guard-lost' | 'loaded'> {
    // Later events of a stream that was read before may be missing here.
    this.#evictedUntil = guard.nextOffset - 1
    // One event at most for each offset.
    this.#ids.reserve(guard.nextOffset)
    for await (const stored of index.rememberedIds(guard)) {
      if (stored === 'guard-lost') return stored
      this.#ids.addStored(stored)
    }
    return 'loaded'
  }

  /** The places of events with this id in any stream of the partition. */
  placesOf(id: EventId): readonly EventPlace[] {
    return this.#ids.places(id)
  }

  stream(streamId: StreamId): RecentStream | undefined {
    return this.#streams.get(this, streamId)
  }

  version(streamId: StreamId): Version | undefined {
    return this.#streams.version(this, streamId)
  }

  /** Adds events that the log has, at contiguous offsets. */
  append(events: readonly EncodedEvent[], firstOffset: number): void {
    for (const [index, event] of events.entries()) {
      const offset = firstOffset + index
      this.#ids.add(event.id, event.version, offset)
      this.#streams.append(this, event, offset)
    }
  }

  /**
   * Keeps events that were read from the log for the next reader.
   * @param version of the stream, according to the index when it had applied the log up to `nextOffset`
   */
  keep(streamId: StreamId, version: Version, events: readonly StoredEvent[], nextOffset: number): void {
    // If a later event of the stream was evicted since then, its version is not the stream's.
    const mayBeOld = this.version(streamId) === undefined && this.#evictedUntil >= nextOffset
    if (!mayBeOld) this.#streams.prepend(this, streamId, version, events)
  }

  evicted(lastOffset: number): void {
    this.#evictedUntil = Math.max(this.#evictedUntil, lastOffset)
  }

  /** Returns the memory for ids. The memory for streams is taken over by streams of others. */
  close(): void {
    this.#ids.close()
  }
}
