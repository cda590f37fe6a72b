import type { EventId, StreamId, Version } from '#domain'

/** What the owner knows the index to be. Where it is not so, Redis lost or regained state, or another owner came. */
export interface Guard {
  /** Kafka's id of the topic: a topic recreated under the same name has another. */
  readonly topicId: string
  /** The owner's term: two terms never share both. */
  readonly producerId: bigint
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

/** Where a term began: the offset of its first marker in the partition. */
export interface TermStart {
  readonly offset: number
  readonly producerId: bigint
  readonly epoch: number
}

/** A piece of the log: the events in it, the terms that began in it, and the offset after it. Markers may make it longer than its events. */
export interface LogPiece {
  readonly entries: readonly IndexEntry[]
  readonly starts?: readonly TermStart[]
  readonly nextOffset: number
}
