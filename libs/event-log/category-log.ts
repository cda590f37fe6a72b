import { Admission, readTurns, subscriberTurns } from '#bounds'
import { eventTopic, partitionKey, type RecordedEvent, unknownName } from '#domain'
import { type FedEvent, isReadable } from '#event-log/records'
import {
  type CategoryBatch,
  type CategoryEvent,
  type CategoryPage,
  type CategoryQuery,
  type CategoryReader,
  EventStoreError,
  invalidRequest,
  parsePageLimit,
  parseRequest,
  parseTime,
} from '#event-store'
import { LogError, type LogReader, type TopicDescription } from '#kafka'

import { matcherOf, type StreamFilter } from './category-match.ts'
import { formatCursor, type Offsets, parseCursor } from './cursor.ts'
import type { EventFormat } from './event-format.ts'
import { PageScan } from './page-scan.ts'
import { type BeyondEnd, SharedLog } from './shared-log.ts'
import { subscribed } from './subscribed.ts'

const limitDefault = 100

interface CategoryLogParts {
  /** Should fetch moderate sizes: each fetch is decoded for all subscribers at that offset. */
  readonly reader: LogReader
  readonly format: EventFormat
  /** The existing event topics. */
  readonly topics: readonly TopicDescription[]
  /** The event types that streams of an aggregate type may contain. No other event can be read here. */
  readonly eventTypesOf: (aggregateType: string) => readonly string[]
  /** Bound on the memory of decoded events that subscribers share. */
  readonly keptBytesMax: number
  /** Page reads that may wait; further ones are rejected. */
  readonly pagesWaitingMax: number
}

/** Reads all events of an aggregate type directly from its topic. Any instance can, because reading needs no ownership. */
export class CategoryLog implements CategoryReader {
  readonly #reader: LogReader
  readonly #format: EventFormat
  readonly #partitions: ReadonlyMap<string, number>
  readonly #eventTypesOf: CategoryLogParts['eventTypesOf']
  readonly #live: SharedLog<FedEvent>
  readonly #pages: Admission

  constructor({ reader, format, topics, eventTypesOf, keptBytesMax, pagesWaitingMax }: CategoryLogParts) {
    this.#eventTypesOf = eventTypesOf
    this.#reader = reader
    this.#format = format
    this.#partitions = new Map(topics.map(({ name, partitions }) => [name, partitions]))
    this.#pages = new Admission({
      what: 'pages of categories',
      atOnceMax: 4,
      waitingMax: pagesWaitingMax,
      waitMsMax: 10_000,
    })
    this.#live = new SharedLog({
      reader,
      decode: ({ topic, partition }, records) =>
        format.decodeEach(topic, partition, records, subscriberTurns),
      keptBytesMax,
      lanes: { head: 'live', behind: 'subscribers', behindMax: 4 },
      behindAtOnceMax: 4,
      keepsPast: true,
      skipsDeleted: false,
    })
  }

  /** Approximate memory of the decoded events that subscribers share. */
  get keptBytes(): number {
    return this.#live.keptBytes
  }

  readCategory(
    aggregateType: string,
    query: CategoryQuery = {},
    streams?: StreamFilter,
  ): Promise<CategoryPage> {
    return this.#pages.run(() => this.#readPage(aggregateType, query, streams))
  }

  async *followCategory(
    aggregateType: string,
    query: CategoryQuery,
    signal: AbortSignal,
  ): AsyncGenerator<CategoryEvent> {
    for await (const { events } of this.subscribeCategory(aggregateType, query, signal)) yield* events
  }

  /**
   * Like `followCategory`, in batches. A batch without events reports a moved cursor.
   * @param streams leaves out all other streams
   */
  async *subscribeCategory(
    aggregateType: string,
    query: CategoryQuery,
    signal: AbortSignal,
    streams?: StreamFilter,
  ): AsyncGenerator<CategoryBatch, void, void> {
    const topic = eventTopic(aggregateType)
    const offsets = await this.#startOffsets(topic, query)
    const partitions = this.#partitionsAsked(topic, query)
    const wanted = readableOf(matcherOf(query, streams))
    const asked = { log: this.#live, offsetOf, topic, offsets, partitions, wanted }
    try {
      for await (const { items, cursor } of subscribed(asked, signal)) {
        yield { events: items.map(({ item, cursor: at }) => ({ event: item, cursor: at })), cursor }
      }
    } catch (error) {
      throw outsideLog(error) ?? error
    }
  }

  /** Checks that a subscription can start. It reads at most the end offsets from Kafka. @throws EventStoreError `category-not-found`, `invalid-request` */
  async checkCategory(aggregateType: string, query: CategoryQuery): Promise<void> {
    const topic = eventTopic(aggregateType)
    const partitions = this.#partitionsAsked(topic, query)
    this.#checkEventTypes(aggregateType, query)
    matcherOf(query)
    if (query.cursor === undefined) return
    const beyond = await this.#live.beyondEnd(topic, partitions, await this.#startOffsets(topic, query))
    if (beyond !== undefined) throw beyondEnd('cursor', topic, beyond)
  }

  /** The cursor that starts one partition at an offset, and all others at their start. */
  async cursorAt(aggregateType: string, partition: number, offset: number): Promise<string> {
    const topic = eventTopic(aggregateType)
    this.#partitionsAsked(topic, { partition })
    const [offsets, end] = await Promise.all([
      this.#startOffsets(topic, {}),
      this.#reader.endOffset(topic, partition),
    ])
    if (offset > end) throw beyondEnd('offset', topic, { partition, offset, end })
    return formatCursor(offsets.with(partition, offset))
  }

  async #readPage(
    aggregateType: string,
    query: CategoryQuery,
    streams: StreamFilter | undefined,
  ): Promise<CategoryPage> {
    const topic = eventTopic(aggregateType)
    this.#partitionsAsked(topic, query)
    this.#checkEventTypes(aggregateType, query)
    const offsets = [...(await this.#startOffsets(topic, query))]
    const scan = new PageScan(parsePageLimit(query.limit ?? limitDefault), matcherOf(query, streams))
    const events: RecordedEvent[] = []
    for (const partition of this.#partitionsAsked(topic, query)) {
      offsets[partition] = await this.#scanPartition(topic, partition, offsets[partition] ?? 0, scan)
      events.push(...(await this.#format.decode(topic, partition, scan.take())))
      if (scan.isFull) return { events, cursor: formatCursor(offsets), atEnd: false }
    }
    return { events, cursor: formatCursor(offsets), atEnd: true }
  }

  /** An unknown type is rejected: a subscription to it would wait forever. */
  #checkEventTypes(aggregateType: string, { eventTypes = [] }: CategoryQuery): void {
    const unknown = unknownName(
      `event type of ${aggregateType}`,
      eventTypes,
      this.#eventTypesOf(aggregateType),
    )
    if (unknown !== undefined) throw invalidRequest('eventType', unknown)
  }

  /** @returns the offset at which the next page continues in this partition. */
  async #scanPartition(topic: string, partition: number, from: number, scan: PageScan): Promise<number> {
    const until = await this.#reader.endOffset(topic, partition)
    if (from > until) throw beyondEnd('cursor', topic, { partition, offset: from, end: until })
    try {
      for await (const records of this.#reader.read(topic, partition, { from, until })) {
        const next = await readTurns.run(() => scan.scan(topic, records))
        if (next !== undefined) return next
      }
    } catch (error) {
      throw outsideLog(error) ?? error
    }
    return until
  }

  async #startOffsets(topic: string, query: CategoryQuery): Promise<Offsets> {
    const partitions = this.#partitionCount(topic)
    const { cursor } = query
    if (cursor !== undefined) return parseRequest(() => parseCursor(cursor, partitions))
    const from = query.from
    const startOf = (partition: number): Promise<number> =>
      from === undefined
        ? this.#reader.startOffset(topic, partition)
        : this.#reader.offsetForTime(topic, partition, parseTime(from, 'from'))
    return Promise.all(Array.from({ length: partitions }, (_, partition) => startOf(partition)))
  }

  #partitionsAsked(topic: string, query: CategoryQuery): readonly number[] {
    const partitions = this.#partitionCount(topic)
    if (query.partition === undefined) return Array.from({ length: partitions }, (_, partition) => partition)
    if (query.partition < partitions) return [query.partition]
    throw new EventStoreError(
      'invalid-request',
      `there is no partition ${query.partition}: ${topic} has ${partitions}`,
      {
        path: 'partition',
      },
    )
  }

  #partitionCount(topic: string): number {
    const partitions = this.#partitions.get(topic)
    if (partitions !== undefined) return partitions
    throw new EventStoreError(
      'category-not-found',
      `there is no topic ${topic}: is its domain module configured?`,
    )
  }
}

const offsetOf = ({ position }: FedEvent): number => position.offset

/** Skips foreign records. An event that cannot be decoded here is not skipped: the filter throws the reason. */
const readableOf =
  (wanted: (event: RecordedEvent) => boolean) =>
  (item: FedEvent): item is RecordedEvent => {
    if (isReadable(item)) return wanted(item)
    if (item.isForeign) return false
    throw item.unreadable
  }

const beyondEnd = (path: string, topic: string, { partition, offset, end }: BeyondEnd): EventStoreError =>
  invalidRequest(
    path,
    `the ${path} is outside the log: it is at offset ${offset} of ${partitionKey({ topic, partition })}, which ends at ${end}`,
  )

/** The error of a cursor that belongs to another log, or whose events retention has deleted. */
const outsideLog = (error: unknown): EventStoreError | undefined =>
  error instanceof LogError && error.outcome === 'not-there'
    ? invalidRequest('cursor', `the cursor is outside the log: ${error.message}`)
    : undefined
