import type { Position, RecordedEvent, TopicPartition } from '#domain'

/** A record that is no event, or that nobody here can decode. */
export interface UnreadableEvent {
  readonly position: Position
  readonly timestamp: string
  /** Why. */
  readonly unreadable: Error
  /** It is no event of Annals at all, whoever reads it. */
  readonly isForeign?: true
}

export type FedEvent = RecordedEvent | UnreadableEvent

export const isReadable = (event: FedEvent): event is RecordedEvent => !('unreadable' in event)

/** What following a partition brings: at times no events, when only the log's end has moved. */
export interface FedChunk {
  readonly events: readonly FedEvent[]
  /** Where reading goes on: after the last event, or after markers that stand behind it. */
  readonly nextOffset: number
  /** `nextOffset` at the high watermark means: caught up. */
  readonly highWatermark: number
}

/** Decoded events of partitions, for all who make something of them in one process. */
export interface EventFeed {
  /** Events from an offset on, then new ones as they come, until the signal aborts. An offset before the log's start begins there. */
  follow(source: TopicPartition, from: number, signal: AbortSignal): AsyncIterable<FedChunk>
  startOffset(source: TopicPartition): Promise<number>
  endOffset(source: TopicPartition): Promise<number>
  /** The event at a position. */
  eventAt(position: Position): Promise<FedEvent>
}
