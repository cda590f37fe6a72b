import {
  deriveEventId,
  type DomainEvent,
  type EventMetadata,
  eventTopic,
  noVersion,
  position,
  type RecordedEvent,
  parseStreamId,
  aggregateTypeOf,
  type Version,
  versionAfter,
} from '../index.ts'

/** Options of {@link recordEvents}. */
export interface RecordOptions {
  /** The version before the first event; default 0. */
  readonly after?: Version
  /** Timestamp of the first event. Each further event is one second later. Default 2026-01-01T00:00:00.000Z. */
  readonly timestamp?: string
  /** Metadata of all events. */
  readonly metadata?: EventMetadata
}

/**
 * Converts domain events to recorded events in partition 0. Ids, versions, offsets and times are derived, so the same call
 * returns the same events.
 * @param streamId e.g. `order.42`.
 * @throws InvalidInputError when the stream id is malformed.
 */
export function recordEvents<Event extends DomainEvent>(
  streamId: string,
  events: readonly Event[],
  options: RecordOptions = {},
): readonly RecordedEvent<Event>[] {
  const { after = noVersion, timestamp = '2026-01-01T00:00:00.000Z', metadata = {} } = options
  const stream = parseStreamId(streamId)
  const topic = eventTopic(aggregateTypeOf(stream))
  return events.map((event, index) => ({
    ...event,
    id: deriveEventId(stream, 'recorded for a test', after + index),
    streamId: stream,
    version: versionAfter(after, index + 1),
    position: position(topic, 0, after + index),
    timestamp: new Date(Date.parse(timestamp) + index * 1_000).toISOString(),
    metadata,
  }))
}
