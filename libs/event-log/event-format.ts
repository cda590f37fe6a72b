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

/** An event that is validated and encoded, but has no version yet. */
export interface EncodedNewEvent {
  readonly id: EventId
  readonly type: string
  readonly metadata: EventMetadata
  /** Avro in the Confluent wire format. */
  readonly value: Buffer
}

type Codec = Pick<EventCodec, 'encode' | 'decode' | 'learn'>

/** Converts events between the form of callers and the form of the log, where the data is Avro. */
export class EventFormat {
  readonly #codec: Codec

  constructor(codec: Codec) {
    this.#codec = codec
  }

  /**
   * Encodes the events of one append.
   * @throws EventStoreError `invalid-event` (with the path of the field: `events[2].data.amount`), `unknown-event-type`
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

  /** Decodes events of one partition, each to the newest version of its type. Long work yields to the event loop. */
  async decode(topic: string, partition: number, events: readonly StoredEvent[]): Promise<RecordedEvent[]> {
    await this.#codec.learn(events.map(({ value }) => schemaIdOf(value)))
    return readTurns.map(events, (event) =>
      recordedEvent(topic, partition, event, this.#codec.decode(event.value).data),
    )
  }

  /**
   * Decodes records one by one. A record that is not an event of Annals, or that cannot be decoded here, reports why; the
   * others are decoded.
   * @param turns in which decoding yields to the event loop; default: one turn for all.
   * @throws SchemaError `registry-unreachable` while a schema id cannot be looked up
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
        const { streamId, version } = event
        return { ...unreadable(topic, partition, record, reason || error), event: { streamId, version } }
      }
    }
    return turns === undefined ? records.map(decode) : turns.map(records, decode)
  }

  /** @returns the errors of ids that the registry does not have. */
  async #learnAll(records: readonly StoredRecord[]): Promise<ReadonlyMap<number, SchemaError>> {
    const ids = new Set<number>()
    for (const { value } of records) if (isAvro(value)) ids.add(schemaIdOf(value))
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

/** The event of a record, or the reason why it is foreign. */
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

/** Kafka accepts any 64-bit number as a timestamp. */
const timeOf = ({ timestampMs }: StoredRecord): string =>
  new Date(Math.min(Math.max(timestampMs, 0), timeMsMax)).toISOString()
const timeMsMax = Date.parse('9999-12-31T23:59:59.999Z')

const isUnknownSchema = (error: unknown): error is SchemaError =>
  error instanceof SchemaError && error.code === 'unknown-schema'
