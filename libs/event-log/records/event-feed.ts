import type { Position, RecordedEvent, TopicPartition } from '#domain'

/** A record that is not an event or cannot be decoded here. */
export interface UnreadableEvent {
  readonly position: Position
  readonly timestamp: string
  /** The reason. */
  readonly unreadable: Error
  /** Whether the record is not an event of Annals. No reader can decode it. */
  readonly isForeign?: true
  /** The event whose data cannot be decoded. */
  readonly event?: Pick<RecordedEvent, 'streamId' | 'version'>
}

export type FedEvent = RecordedEvent | UnreadableEvent

export const isReadable = (event: FedEvent): event is RecordedEvent => !('unreadable' in event)

/** A batch of followed events. It is empty when only the end of the log has moved. */
export interface FedChunk {
  readonly events: readonly FedEvent[]
  /** The next offset to read: after the last event and the markers that follow it. */
  readonly nextOffset: number
  /** The follower has caught up when `nextOffset` equals it. */
  readonly highWatermark: number
}

/** Decoded events of partitions, for all consumers in one process. */
export interface EventFeed {
  /** Events from an offset on, then new ones as they are appended, until the signal aborts. An offset before the start of the log starts there. */
  follow(source: TopicPartition, from: number, signal: AbortSignal): AsyncIterable<FedChunk>
  startOffset(source: TopicPartition): Promise<number>
  endOffset(source: TopicPartition): Promise<number>
  /** The event at a position. */
  eventAt(position: Position): Promise<FedEvent>
}
