import { LRUCache } from 'lru-cache'

import { type StreamId, type Version, versionAfter } from '#domain'

/** What is needed of an event to see whether it follows its stream. */
export interface SequencedEvent {
  readonly streamId: StreamId
  readonly version: Version
  readonly offset: number
}

type Seen = Pick<SequencedEvent, 'version' | 'offset'>

/** Of so many records the verdict is remembered, for when they are delivered again. */
const strayRecordsMax = 10_000

/**
 * The last version seen of each stream in each partition, the least recently seen streams leave first. A stream's topic
 * follows from its id, so topics need no place in the keys.
 */
export class StreamVersions {
  readonly #seen: LRUCache<string, Seen>
  /** The last version before each record that did not follow, by stream and offset. */
  readonly #strays = new LRUCache<string, Version>({ max: strayRecordsMax })

  /** @param streamsMax streams in memory at most. */
  constructor(streamsMax: number) {
    this.#seen = new LRUCache({ max: streamsMax })
  }

  /**
   * Takes note of an event.
   * @returns undefined when it follows its stream, or is the first one seen of it; otherwise the last version seen.
   */
  note(partition: number, event: SequencedEvent): Version | undefined {
    const key = keyOf(partition, event)
    const last = this.#seen.get(key)
    // Consumers read again what they have not committed; such a record gets the verdict that it got before.
    if (last !== undefined && event.offset <= last.offset) return this.#strays.get(strayKey(key, event))
    if (last !== undefined && event.version !== versionAfter(last.version)) {
      this.#strays.set(strayKey(key, event), last.version)
      return last.version
    }
    this.#seen.set(key, { version: event.version, offset: event.offset })
    return undefined
  }

  /** Forgets one stream: whatever comes next of it is accepted. */
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
