import type { DomainEvent, InvalidInputError, Position, RecordedEvent, Version } from '#domain'
import type { SchemaError } from '#schemas'

/** An event of Annals whose data cannot be read: the content of its headers. */
export type UnreadEvent = Omit<RecordedEvent, 'data'>

/** The outcome of one message. `kind` determines what to do with it. */
export type DecodedMessage<Event extends DomainEvent = DomainEvent> =
  /** The next event of its stream, or the first one seen of that stream. */
  | { readonly kind: 'event'; readonly event: RecordedEvent<Event> }
  /**
   * An event whose version does not follow the last one seen of its stream: a stray record, a duplicate, or a gap.
   * Report it, and do not act on it.
   */
  | {
      readonly kind: 'out-of-sequence'
      readonly event: RecordedEvent<Event>
      /** Version of the last event seen of this stream in this partition; the next one was expected. */
      readonly lastVersion: Version
    }
  /**
   * An event that this consumer cannot read: its schema is newer than the local schema files, its type belongs to no known
   * aggregate, its bytes are damaged, or an upcaster failed. Skipping it loses an event.
   */
  | {
      readonly kind: 'undecodable'
      readonly event: UnreadEvent
      readonly reason: SchemaError | InvalidInputError
    }
  /** A record that is not an event of Annals. It can be skipped. */
  | { readonly kind: 'foreign'; readonly position: Position; readonly reason: InvalidInputError }
