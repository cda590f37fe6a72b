import {
  type Aggregate,
  aggregateTypeOf,
  createUpcasterChain,
  type DomainEvent,
  InvalidInputError,
  position,
  type RecordedEvent,
  type Upcaster,
} from '#domain'
import type { StoredEvent } from '#event-log/records'
import { RecordReader, type SchemaCatalog, SchemaError, schemaIdOf } from '#schemas'

import { type ConsumedMessage, storedEventOf } from './consumed-message.ts'
import type { DecodedMessage, UnreadEvent } from './decoded-message.ts'
import { FailedLookups } from './failed-lookups.ts'
import { lookUpSchema, type RegistryClient } from './schema-lookup.ts'
import { StreamVersions } from './stream-versions.ts'

/** The events of an aggregate: a union that discriminates on `type`. */
export type EventOf<A extends Aggregate> = Parameters<A['evolve']>[1]

/** Options of an {@link EventDecoder}. */
export interface EventDecoderOptions<Aggregates extends readonly Aggregate[]> {
  /** The aggregates whose events are decoded. Other events are returned as `undecodable`. */
  readonly aggregates: Aggregates
  /** Upcasters of the domain module; default none. */
  readonly upcasters?: readonly Upcaster[]
  /** The schema files of the domain: `loadCatalog(['schemas'])`. Data is returned in their latest version. */
  readonly catalog: SchemaCatalog
  /** A `SchemaRegistry` of \@kafkajs/confluent-schema-registry. Each schema id is looked up once; one that fails, every 30 s at most. */
  readonly registry: RegistryClient
  /** Time limit for one lookup of a schema id, including the client's retries; default 10,000. */
  readonly lookupTimeoutMs?: number
  /** Maximum number of streams whose last version is remembered. The least recently seen are forgotten first. Default 100,000. */
  readonly streamsMax?: number
}

/**
 * Creates a decoder for a kafkajs consumer of event topics. Its events have the types of the aggregates.
 * @throws InvalidInputError when two upcasters cover the same step.
 */
export const createEventDecoder = <const Aggregates extends readonly Aggregate[]>(
  options: EventDecoderOptions<Aggregates>,
): EventDecoder<EventOf<Aggregates[number]>> => new EventDecoder(options)

/** The part of a kafkajs consumer that reports rebalances. */
export interface RebalancingConsumer {
  readonly events: { readonly GROUP_JOIN: 'consumer.group_join' }
  on(event: 'consumer.group_join', listener: () => void): () => void
}

/** Turns messages of event topics into events. One decoder serves all topics and partitions of one consumer. */
export class EventDecoder<Event extends DomainEvent = DomainEvent> {
  readonly #eventTypes: ReadonlyMap<string, readonly string[]>
  readonly #reader: RecordReader
  readonly #registry: RegistryClient
  readonly #lookupTimeoutMs: number
  readonly #versions: StreamVersions
  /** Lookups in flight, so that concurrent messages share one lookup. */
  readonly #lookups = new Map<number, Promise<void>>()
  readonly #failedLookups = new FailedLookups()

  /** See {@link createEventDecoder}, which infers the type of the events. */
  constructor(options: EventDecoderOptions<readonly Aggregate[]>) {
    this.#eventTypes = new Map(options.aggregates.map(({ type, eventTypes }) => [type, eventTypes]))
    this.#reader = new RecordReader(options.catalog, createUpcasterChain(options.upcasters ?? []))
    this.#registry = options.registry
    this.#lookupTimeoutMs = options.lookupTimeoutMs ?? 10_000
    this.#versions = new StreamVersions(options.streamsMax ?? 100_000)
  }

  /**
   * Decodes a message to an event, with its data in the latest version of its schema, or to the reason why it is not one. Pass all
   * messages of a partition in order: each version is compared with the last one of the same stream.
   * @throws SchemaError `registry-unreachable` while a schema cannot be looked up. Do not catch it: kafkajs retries the
   *   message, so no event is lost.
   */
  async decode(consumed: ConsumedMessage): Promise<DecodedMessage<Event>> {
    const { topic, partition, message } = consumed
    const at = position(topic, partition, Number(message.offset))
    const stored = orInvalid(() => storedEventOf(consumed))
    if (stored instanceof Error) return { kind: 'foreign', position: at, reason: stored }
    const unread = { ...headersOf(stored), position: at }
    const lastVersion = this.#versions.note(partition, stored)
    const event = await this.#read(unread, stored.value)
    if (event instanceof Error) {
      // It may be stray, so its version is not trusted: the next event of the stream is accepted.
      this.#versions.forgetStream(partition, stored)
      return { kind: 'undecodable', event: unread, reason: event }
    }
    return lastVersion === undefined
      ? { kind: 'event', event }
      : { kind: 'out-of-sequence', event, lastVersion }
  }

  /**
   * Forgets the versions of all streams. The next event of each stream is accepted at any version. Call it after
   * `consumer.seek`, and when messages were skipped.
   */
  forget(): void {
    this.#versions.clear()
  }

  /**
   * Calls {@link forget} on every rebalance: another consumer may have read partitions in the meantime.
   * @returns a function that stops watching.
   */
  watch(consumer: RebalancingConsumer): () => void {
    return consumer.on(consumer.events.GROUP_JOIN, () => this.forget())
  }

  /** The event with its data, or why it cannot be read. @throws SchemaError `registry-unreachable` */
  async #read(unread: UnreadEvent, value: Buffer): Promise<RecordedEvent<Event> | Unreadable> {
    try {
      await this.#learn(schemaIdOf(value))
      const { aggregateType, eventType, data } = this.#reader.decode(value)
      const event = { ...unread, data }
      checkSchema(unread, aggregateType, eventType)
      return this.#isKnown(event) ? event : this.#unknownType(event)
    } catch (error) {
      if (error instanceof InvalidInputError) return error
      if (error instanceof SchemaError && error.code !== 'registry-unreachable') return error
      throw error
    }
  }

  async #learn(schemaId: number): Promise<void> {
    if (this.#reader.knows(schemaId)) return
    this.#failedLookups.check(schemaId)
    const pending = this.#lookups.get(schemaId) ?? this.#lookUp(schemaId)
    this.#lookups.set(schemaId, pending)
    await pending
  }

  async #lookUp(schemaId: number): Promise<void> {
    try {
      this.#reader.learn(schemaId, await lookUpSchema(this.#registry, schemaId, this.#lookupTimeoutMs))
    } catch (error) {
      this.#failedLookups.note(schemaId, error)
      throw error
    } finally {
      this.#lookups.delete(schemaId)
    }
  }

  /** Checks the aggregate type and the event type. The schema has already checked the data. */
  #isKnown(event: RecordedEvent): event is RecordedEvent<Event> {
    return this.#eventTypes.get(aggregateTypeOf(event.streamId))?.includes(event.type) ?? false
  }

  #unknownType({ streamId, type }: RecordedEvent): InvalidInputError {
    const aggregateType = aggregateTypeOf(streamId)
    const known = this.#eventTypes.get(aggregateType)
    const what =
      known === undefined
        ? `the decoder has no aggregate ${aggregateType}: it has ${[...this.#eventTypes.keys()].join(', ')}`
        : `aggregate ${aggregateType} has no event type ${type}: it has ${known.join(', ')}`
    return new InvalidInputError('aggregates', `${what}. Update the domain of the decoder`)
  }
}

/** Why an event cannot be read. */
type Unreadable = SchemaError | InvalidInputError

const headersOf = ({ id, streamId, type, version, timestamp, metadata }: StoredEvent) => ({
  id,
  streamId,
  type,
  version,
  timestamp,
  metadata,
})

/** A foreign producer can label the data of one event type with the name of another. */
function checkSchema({ streamId, type }: UnreadEvent, aggregateType: string, eventType: string): void {
  if (aggregateType === aggregateTypeOf(streamId) && eventType === type) return
  throw new InvalidInputError(
    'value',
    `the data of an event ${type} of ${streamId} was written with the schema of ${aggregateType}.${eventType}`,
  )
}

/** The result, or the error that describes the invalid input. */
function orInvalid<Result>(read: () => Result): Result | InvalidInputError {
  try {
    return read()
  } catch (error) {
    if (error instanceof InvalidInputError) return error
    throw error
  }
}
