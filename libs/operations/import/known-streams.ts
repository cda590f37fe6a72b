import { LRUCache } from 'lru-cache'

import { deriveEventId, type EventId, noVersion, type StreamId, type Version, versionAfter } from '#domain'
import { type EventStore, pageLimitMax, readAll } from '#event-store'

/** What an import knows of a stream: its version, and all event ids in it. */
export interface KnownStream {
  readonly version: Version
  readonly ids: ReadonlySet<EventId>
  /** Whether it holds events of others than this import. */
  readonly hasOthers: boolean
}

interface KnownIds extends KnownStream {
  readonly ids: Set<EventId>
  /**
   * All of these ids are in the stream; other ids may be, too. An append that expects as many events as there are ids settles it:
   * if it succeeds there are no others.
   */
  readonly isRecalled: boolean
}

/** Ids in memory, about 100 bytes each. The least recently used streams are dropped, and read again when needed. */
const idsMax = 1_000_000

/** The id of the event that rolls an import back in a stream. */
export const rollbackIdOf = (streamId: StreamId, importId: string): EventId =>
  deriveEventId(streamId, `rollback of ${importId}`, 0)

/**
 * Remembers the streams of an import with their event ids, independently of how many ids the writer remembers. An unknown stream is
 * settled by an append that expects no stream, and by reading it where it exists. Events of an earlier run are recalled, so that a
 * resumed import does not start by reading all of its streams.
 */
export class KnownStreams {
  readonly #store: Pick<EventStore, 'read'>
  readonly #importId: string | undefined
  readonly #streams = new LRUCache<StreamId, KnownIds>({
    maxSize: idsMax,
    sizeCalculation: ({ ids }) => ids.size + 1,
  })

  constructor(store: Pick<EventStore, 'read'>, importId: string | undefined) {
    this.#store = store
    this.#importId = importId
  }

  get(streamId: StreamId): KnownStream | undefined {
    return this.#streams.get(streamId)
  }

  /** Events of this import were appended right after the known version. */
  appended(streamId: StreamId, lastVersion: Version, eventIds: readonly EventId[]): void {
    const known = this.#streams.get(streamId) ?? nothingKnown()
    if (versionAfter(known.version, eventIds.length) !== lastVersion) {
      this.#streams.delete(streamId)
      return
    }
    for (const id of eventIds) known.ids.add(id)
    this.#streams.set(streamId, { ...known, version: lastVersion, isRecalled: false })
  }

  /** These events are in the stream according to a checkpoint or the writer. */
  recall(streamId: StreamId, eventIds: readonly EventId[]): void {
    const { ids, hasOthers } = this.#streams.get(streamId) ?? nothingKnown()
    for (const id of eventIds) ids.add(id)
    this.#streams.set(streamId, {
      ids,
      hasOthers,
      version: versionAfter(noVersion, ids.size),
      isRecalled: true,
    })
  }

  /** Reads what is not known yet. A stream that was only recalled is read from its start. */
  async read(streamId: StreamId): Promise<KnownStream> {
    const before = this.#streams.get(streamId)
    const { ids, ...known } = before === undefined || before.isRecalled ? nothingKnown() : before
    let { version, hasOthers } = known
    const options = { fromVersion: versionAfter(version), limit: pageLimitMax }
    for await (const event of readAll(this.#store, streamId, options)) {
      ids.add(event.id)
      version = event.version
      hasOthers ||= event.metadata.correlationId !== this.#importId
    }
    const read = { version, ids, hasOthers, isRecalled: false }
    this.#streams.set(streamId, read)
    return read
  }
}

const nothingKnown = (): KnownIds => ({
  version: noVersion,
  ids: new Set(),
  hasOthers: false,
  isRecalled: false,
})
