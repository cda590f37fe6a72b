import type { Position, TopicPartition } from '#domain'
import type { EventFeed, FedChunk, FedEvent } from '#event-log/records'

/** Counts the followers of partitions. */
export class CountingFeed implements EventFeed {
  /** Followers now. */
  following = 0
  /** How many times a partition was followed. */
  begun = 0
  readonly #feed: EventFeed

  constructor(feed: EventFeed) {
    this.#feed = feed
  }

  async *follow(source: TopicPartition, from: number, signal: AbortSignal): AsyncGenerator<FedChunk> {
    this.begun++
    this.following++
    try {
      yield* this.#feed.follow(source, from, signal)
    } finally {
      this.following--
    }
  }

  startOffset(source: TopicPartition): Promise<number> {
    return this.#feed.startOffset(source)
  }

  endOffset(source: TopicPartition): Promise<number> {
    return this.#feed.endOffset(source)
  }

  eventAt(position: Position): Promise<FedEvent> {
    return this.#feed.eventAt(position)
  }
}
