import type { EventId, StreamId, Version } from '#domain'

/** The state of the index that the owner expects. A difference means that Redis lost or regained state, or that another owner took over. */
export interface Guard {
  /** Kafka's id of the topic: a topic recreated under the same name has another id. */
  readonly topicId: string
  /** The owner's term: no two terms share both fields. */
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
}

/** The start of a term: the offset of its first marker in the partition. */
export interface IndexedTerm {
  readonly offset: number
  readonly producerId: bigint
  readonly epoch: number
}

/** A piece of the log: its events, the terms that began in it, and the offset after it. Markers may make it longer than its events. */
export interface LogPiece {
  readonly entries: readonly IndexEntry[]
  readonly starts?: readonly IndexedTerm[]
  readonly nextOffset: number
}
