import { LRUCache } from 'lru-cache'

import { deriveEventId, type EventId, noVersion, type StreamId, type Version, versionAfter } from '#domain'
import { type EventStore, pageLimitMax, readAll } from '#event-store'

/** The known state of a stream: its version, and all event ids in it. */
export interface KnownStream {
  readonly version: Version
  readonly ids: ReadonlySet<EventId>
  /** Whether it contains events that are not from this import. */
  readonly hasOthers: boolean
}

interface KnownIds extends KnownStream {
  readonly ids: Set<EventId>
  /**
   * True if all of these ids are in the stream, but others may be too. An append that expects as many events as there are ids settles
   * it: if it succeeds, there are no others.
   */
  readonly isRecalled: boolean
}

/** The maximum of ids in memory, about 100 bytes each. The least recently used streams are dropped, and read again when needed. */
const idsMax = 1_000_000

/** The id of the event that rolls an import back in a stream. */
export const rollbackIdOf = (streamId: StreamId, importId: string): EventId =>
  deriveEventId(streamId, `rollback of ${importId}`, 0)

/**
 * Remembers the streams of an import with their event ids, independently of how many ids the writer remembers. For an unknown stream the
 * import expects no stream, and reads the stream if that append is rejected. Events of an earlier run are recalled, so that a resumed
 * import does not have to read all of its streams first.
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

  /** Records that events of this import were appended right after the known version. */
  appended(streamId: StreamId, lastVersion: Version, eventIds: readonly EventId[]): void {
    const known = this.#streams.get(streamId) ?? nothingKnown()
    if (versionAfter(known.version, eventIds.length) !== lastVersion) {
      this.#streams.delete(streamId)
      return
    }
    for (const id of eventIds) known.ids.add(id)
    this.#streams.set(streamId, { ...known, version: lastVersion, isRecalled: false })
  }

  /** Records that these events are in the stream, according to a checkpoint or the writer. */
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

  /** Reads the unknown part of a stream. A stream that was only recalled is read from its start. */
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
