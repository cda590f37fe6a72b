import { LRUCache } from 'lru-cache'

import { deriveEventId, type EventId, noVersion, type StreamId, type Version, versionAfter } from '#domain'
import { type EventStore, pageLimitMax, readAll } from '#event-store'

/** What an import knows of a stream: where it stands, and all ids that are in it. */
export interface KnownStream {
  readonly version: Version
  readonly ids: ReadonlySet<EventId>
  /** Whether it holds events that are not of this import. */
  readonly hasOthers: boolean
}

interface KnownIds extends KnownStream {
  readonly ids: Set<EventId>
}

/** Ids that are held in memory, about 100 bytes each; streams that were left longest ago are forgotten, and read again when needed. */
const idsMax = 1_000_000

/** The id of the event by which an import is taken back from a stream. */
export const rollbackIdOf = (streamId: StreamId, importId: string): EventId =>
  deriveEventId(streamId, `rollback of ${importId}`, 0)

/**
 * Remembers the streams of an import with their ids, so that what is in them is known for certain, however many ids the writer
 * itself remembers. What it does not know is found out by an append that expects no stream, and by reading where there is one.
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

  /** Our own events went in, right after what was known. */
  appended(streamId: StreamId, lastVersion: Version, eventIds: readonly EventId[]): void {
    const known = this.#streams.get(streamId) ?? nothingKnown()
    if (versionAfter(known.version, eventIds.length) !== lastVersion) {
      this.#streams.delete(streamId)
      return
    }
    for (const id of eventIds) known.ids.add(id)
    this.#streams.set(streamId, { ...known, version: lastVersion })
  }

  /** Reads what is not known yet. */
  async read(streamId: StreamId): Promise<KnownStream> {
    const { ids, ...known } = this.#streams.get(streamId) ?? nothingKnown()
    let { version, hasOthers } = known
    const options = { fromVersion: versionAfter(version), limit: pageLimitMax }
    for await (const event of readAll(this.#store, streamId, options)) {
      ids.add(event.id)
      version = event.version
      hasOthers ||= event.metadata.correlationId !== this.#importId
    }
    const read = { version, ids, hasOthers }
    this.#streams.set(streamId, read)
    return read
  }
}

const nothingKnown = (): KnownIds => ({ version: noVersion, ids: new Set(), hasOthers: false })
