import type { EventId, StreamId, Version } from '#domain'

/** What the owner knows the index to be. Where it is not so, Redis lost or regained state, or another owner came. */
export interface Guard {
  /** Kafka's id of the topic: a topic made anew under the same name has another. */
  readonly topicId: string
  /** The owner's term: any whole number that two terms never share. */
  readonly epoch: number
  /** The offset after the last one applied. */
  readonly nextOffset: number
}

/** One event for the index. */
export interface IndexEntry {
  readonly streamId: StreamId
  readonly version: Version
  readonly offset: number
  readonly eventId: EventId
  readonly timestampMs: number
  /** The event as the tail keeps it. Opaque here. */
  readonly payload: Buffer
}

/** A piece of the log: the events in it, and the offset after it. Markers may make it longer than its events. */
export interface LogPiece {
  readonly entries: readonly IndexEntry[]
  readonly nextOffset: number
}
