import type { EventId } from './event-id.ts'
import type { EventMetadata } from './metadata.ts'
import type { Position } from './position.ts'
import type { StreamId } from './stream-id.ts'
import type { Version } from './version.ts'

/** A domain event. Unions of events discriminate on the literal `type`. */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly data: Data
}

/** An event to append. Without an id it gets a new UUIDv7. */
export type NewEvent<Event extends DomainEvent = DomainEvent> = Event & {
  readonly id?: EventId
  readonly metadata?: EventMetadata
}

/** An event in the log. */
export type RecordedEvent<Event extends DomainEvent = DomainEvent> = Event & {
  readonly id: EventId
  readonly streamId: StreamId
  readonly version: Version
  readonly position: Position
  /** When the writer accepted it: ISO 8601, UTC, milliseconds. */
  readonly timestamp: string
  readonly metadata: EventMetadata
}
