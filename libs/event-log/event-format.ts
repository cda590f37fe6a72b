import {
  aggregateTypeOf,
  type EventId,
  type EventMetadata,
  InvalidInputError,
  type NewEvent,
  position,
  type RecordedEvent,
  type StreamId,
} from '#domain'
import { type Lane, readTurns } from '#bounds'
import { eventIn, isAvro, type FedEvent, type StoredEvent, type UnreadableEvent } from '#event-log/records'
import { EventStoreError, type IdentifiedEvent } from '#event-store'
import type { StoredRecord } from '#kafka'
import { type EventCodec, SchemaError, schemaIdOf, UnknownEventTypeError } from '#schemas'

/** An event that has passed validation and is encoded, but has no place in its stream yet. */
export interface EncodedNewEvent {
  readonly id: EventId
  readonly type: string
  readonly metadata: EventMetadata
  /** Avro in the Confluent wire format. */
  readonly value: Buffer
}

type Codec = Pick<EventCodec, 'encode' | 'decode' | 'learn'>

/** Between events as callers know them and as the log holds them: the value in Avro, everything else beside it. */
export class EventFormat {
  readonly #codec: Codec

  constructor(codec: Codec) {
    this.#codec = codec
  }

  /**
   * Encodes the events of one append.
   * @throws EventStoreError `invalid-event` (the field named by its path, `events[2].data.amount`), `unknown-event-type`
   */
  encode(streamId: StreamId, events: readonly IdentifiedEvent[]): EncodedNewEvent[] {
    const aggregateType = aggregateTypeOf(streamId)
    return events.map((event, index) => ({
      id: event.id,
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

  /** Decodes events of one partition, each to the newest version of its type. Many of them leave the event loop to others now and then. */
  async decode(topic: string, partition: number, events: readonly StoredEvent[]): Promise<RecordedEvent[]> {
    await this.#codec.learn(events.map(({ value }) => schemaIdOf(value)))
    return readTurns.map(events, (event) =>
      recordedEvent(topic, partition, event, this.#codec.decode(event.value).data),
    )
  }

  /**
   * Decodes records one by one: one that is no event of Annals, or that nobody here can decode, says why and holds up none of the others.
   * @param turns where decoding may not hold up the event loop; default: all at once.
   * @throws SchemaError `registry-unreachable` while a schema id cannot be asked for
   */
  async decodeEach(
    topic: string,
    partition: number,
    records: readonly StoredRecord[],
    turns?: Lane,
  ): Promise<FedEvent[]> {
    const unknown = await this.#learnAll(records)
    const decode = (record: StoredRecord): FedEvent => {
      const event = eventOr(topic, record)
      if (event instanceof Error) return { ...unreadable(topic, partition, record, event), isForeign: true }
      try {
        return recordedEvent(topic, partition, event, this.#codec.decode(event.value).data)
      } catch (error) {
        const reason = isUnknownSchema(error) && isAvro(record.value) && unknown.get(schemaIdOf(record.value))
        return unreadable(topic, partition, record, reason || error)
      }
    }
    return turns === undefined ? records.map(decode) : turns.map(records, decode)
  }

  /** @returns why ids could not be learnt that the registry does not know. */
  async #learnAll(records: readonly StoredRecord[]): Promise<ReadonlyMap<number, SchemaError>> {
    const ids = new Set(
      records
        .map(({ value }) => value)
        .filter(isAvro)
        .map(schemaIdOf),
    )
    const unknown = new Map<number, SchemaError>()
    for (const id of ids) {
      try {
        await this.#codec.learn([id])
      } catch (error) {
        if (!isUnknownSchema(error)) throw error
        unknown.set(id, error)
      }
    }
    return unknown
  }
}

const recordedEvent = (
  topic: string,
  partition: number,
  event: StoredEvent,
  data: unknown,
): RecordedEvent => ({
  id: event.id,
  streamId: event.streamId,
  type: event.type,
  version: event.version,
  position: position(topic, partition, event.offset),
  timestamp: event.timestamp,
  data,
  metadata: event.metadata,
})

/** The event of a record, or why it is foreign. */
function eventOr(topic: string, record: StoredRecord): StoredEvent | Error {
  try {
    return eventIn(topic, record)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const unreadable = (
  topic: string,
  partition: number,
  record: StoredRecord,
  error: unknown,
): UnreadableEvent => ({
  position: position(topic, partition, record.offset),
  timestamp: timeOf(record),
  unreadable: error instanceof Error ? error : new Error(String(error)),
})

/** Kafka takes any 64-bit number for a time. */
const timeOf = ({ timestampMs }: StoredRecord): string =>
  new Date(Math.min(Math.max(timestampMs, 0), timeMsMax)).toISOString()
const timeMsMax = Date.parse('9999-12-31T23:59:59.999Z')

const isUnknownSchema = (error: unknown): error is SchemaError =>
  error instanceof SchemaError && error.code === 'unknown-schema'
