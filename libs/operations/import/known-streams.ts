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
  /**
   * All of these ids are in the stream, but nobody has looked whether others are, too. An append that expects as many events as
   * there are ids finds out: where it succeeds there are no others.
   */
  readonly isRecalled: boolean
}

/** Ids that are held in memory, about 100 bytes each; streams that were left longest ago are forgotten, and read again when needed. */
const idsMax = 1_000_000

/** The id of the event by which an import is taken back from a stream. */
export const rollbackIdOf = (streamId: StreamId, importId: string): EventId =>
  deriveEventId(streamId, `rollback of ${importId}`, 0)

/**
 * Remembers the streams of an import with their ids, so that what is in them is known for certain, however many ids the writer
 * itself remembers. What it does not know is found out by an append that expects no stream, and by reading where there is one.
 * What an earlier run brought is recalled, so that a resumed import does not begin with reading all of its streams.
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
    this.#streams.set(streamId, { ...known, version: lastVersion, isRecalled: false })
  }

  /** These events are in the stream, as a checkpoint or the writer says. */
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

  /** Reads what is not known yet; of a stream that was only recalled that is all of it. */
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
