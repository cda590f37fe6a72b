import {
  aggregateTypeOf,
  type EventId,
  type EventMetadata,
  InvalidInputError,
  type NewEvent,
  newEventId,
  position,
  type RecordedEvent,
  type StreamId,
} from '#domain'
import { EventStoreError } from '#event-store'
import { type EncodedEvent, fromStoredRecord, type StoredRecord } from '#kafka'
import { type EventCodec, UnknownEventTypeError } from '#schemas'

/** An event that has passed validation and is encoded, but has no place in its stream yet. */
export interface EncodedNewEvent {
  readonly id: EventId
  readonly type: string
  readonly metadata: EventMetadata
  /** Avro in the Confluent wire format. */
  readonly value: Buffer
}

/** An encoded event, and where it stands in its partition. */
export interface StoredEvent extends EncodedEvent {
  readonly offset: number
}

/** The event of a record. @throws InvalidInputError when the record is none of ours. */
export const storedEvent = (record: StoredRecord): StoredEvent => ({
  ...fromStoredRecord(record),
  offset: record.offset,
})

/** Between events as callers know them and as the log holds them: the value in Avro, everything else beside it. */
export class EventFormat {
  readonly #codec: EventCodec

  constructor(codec: EventCodec) {
    this.#codec = codec
  }

  /**
   * Encodes the events of one append; those without an id get one.
   * @throws EventStoreError `invalid-event` (the field named by its path, `events[2].data.amount`), `unknown-event-type`
   */
  encode(streamId: StreamId, events: readonly NewEvent[]): EncodedNewEvent[] {
    const aggregateType = aggregateTypeOf(streamId)
    return events.map((event, index) => ({
      id: event.id ?? newEventId(),
      type: event.type,
      metadata: event.metadata ?? {},
      value: this.#encodeData(aggregateType, event, `events[${index}]`),
    }))
  }

  #encodeData(aggregateType: string, event: NewEvent, path: string): Buffer {
    try {
      return this.#codec.encode(aggregateType, event.type, event.data)
    } catch (error) {
      if (error instanceof UnknownEventTypeError) {
        throw new EventStoreError('unknown-event-type', error.message, { path: `${path}.type` })
      }
      if (error instanceof InvalidInputError) {
        throw new EventStoreError('invalid-event', error.message, { path: `${path}.${error.path}` })
      }
      throw error
    }
  }

  /** Decodes events of one partition, each to the newest version of its type. */
  async decode(topic: string, partition: number, events: readonly StoredEvent[]): Promise<RecordedEvent[]> {
    const decoded = await this.#codec.decodeMany(events.map((event) => event.value))
    return events.map((event, index) => ({
      id: event.id,
      streamId: event.streamId,
      type: event.type,
      version: event.version,
      position: position(topic, partition, event.offset),
      timestamp: event.timestamp,
      data: decoded[index]?.data,
      metadata: event.metadata,
    }))
  }
}
