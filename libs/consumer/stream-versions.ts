import { LRUCache } from 'lru-cache'

import { type StreamId, type Version, versionAfter } from '#domain'

/** The part of an event that determines its place in the sequence. */
interface SequencedEvent {
  readonly streamId: StreamId
  readonly version: Version
  readonly offset: number
}

type Seen = Pick<SequencedEvent, 'version' | 'offset'>

/** Maximum number of records out of sequence that are remembered, in case they are redelivered. */
const strayRecordsMax = 10_000

/**
 * Remembers the last version seen of each stream in each partition. The least recently seen streams are forgotten first. Keys
 * contain no topic, because the stream id determines it.
 */
export class StreamVersions {
  readonly #seen: LRUCache<string, Seen>
  /** The last version before each record that did not follow, by stream and offset. */
  readonly #strays = new LRUCache<string, Version>({ max: strayRecordsMax })

  /** @param streamsMax maximum number of streams in memory */
  constructor(streamsMax: number) {
    this.#seen = new LRUCache({ max: streamsMax })
  }

  /**
   * Checks the version of an event, and remembers it if it follows.
   * @returns undefined when the event follows its stream or is the first one seen of it; otherwise the last version seen.
   */
  note(partition: number, event: SequencedEvent): Version | undefined {
    const key = keyOf(partition, event)
    const last = this.#seen.get(key)
    // Consumers reread uncommitted records. Such a record gets the same result as before.
    if (last !== undefined && event.offset <= last.offset) return this.#strays.get(strayKey(key, event))
    if (last !== undefined && event.version !== versionAfter(last.version)) {
      this.#strays.set(strayKey(key, event), last.version)
      return last.version
    }
    this.#seen.set(key, { version: event.version, offset: event.offset })
    // It may have been out of sequence before the stream was forgotten.
    this.#strays.delete(strayKey(key, event))
    return undefined
  }

  /** Forgets one stream. Its next event is accepted at any version. */
  forgetStream(partition: number, event: SequencedEvent): void {
    this.#seen.delete(keyOf(partition, event))
  }

  /** Forgets all streams. */
  clear(): void {
    this.#seen.clear()
  }
}

const keyOf = (partition: number, { streamId }: SequencedEvent): string => `${partition}:${streamId}`
const strayKey = (key: string, { offset }: SequencedEvent): string => `${offset}:${key}`
