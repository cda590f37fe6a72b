import { InvalidInputError, type RecordedEvent } from '#domain'
import {
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
import { eventTopic, LogError, type LogReader, type StoredRecord, type TopicDescription } from '#kafka'

import { formatCursor, type Offsets, parseCursor } from './cursor.ts'
import type { EventFormat } from './event-format.ts'
import { mergeAsync } from './merge-async.ts'
import { eventIn, type StoredEvent } from './stored-event.ts'

const limitDefault = 100
/** Records looked at for one page, so that a filter that hits nothing still ends: the page is then short, its cursor further on. */
const scanMax = 50_000

/** Reads all events of an aggregate type straight from its topic. Any instance can, whoever owns the partitions. */
export class CategoryLog implements CategoryReader {
  readonly #reader: LogReader
  readonly #format: EventFormat
  readonly #partitions: ReadonlyMap<string, number>

  /** @param topics the event topics that there are. */
  constructor(reader: LogReader, format: EventFormat, topics: readonly TopicDescription[]) {
    this.#reader = reader
    this.#format = format
    this.#partitions = new Map(topics.map(({ name, partitions }) => [name, partitions]))
  }

  async readCategory(aggregateType: string, query: CategoryQuery = {}): Promise<CategoryPage> {
    const topic = eventTopic(aggregateType)
    const offsets = [...(await this.#startOffsets(topic, query))]
    const limit = parsePageLimit(query.limit ?? limitDefault)
    const events: RecordedEvent[] = []
    let scanned = 0
    for (const partition of this.#partitionsAsked(topic, query)) {
      const page = await this.#readPartition(topic, partition, offsets[partition] ?? 0, query, {
        limit: limit - events.length,
        scan: scanMax - scanned,
      })
      events.push(...page.events)
      scanned += page.scanned
      offsets[partition] = page.next
      if (events.length >= limit || scanned >= scanMax)
        return { events, cursor: formatCursor(offsets), atEnd: false }
    }
    return { events, cursor: formatCursor(offsets), atEnd: true }
  }

  async *followCategory(
    aggregateType: string,
    query: CategoryQuery,
    signal: AbortSignal,
  ): AsyncGenerator<CategoryEvent> {
    const topic = eventTopic(aggregateType)
    const offsets = [...(await this.#startOffsets(topic, query))]
    const partitions = this.#partitionsAsked(topic, query)
    const left = new AbortController()
    const either = AbortSignal.any([signal, left.signal])
    const follow = (partition: number) =>
      this.#followPartition(topic, partition, offsets[partition] ?? 0, query, either)
    try {
      for await (const event of mergeAsync(partitions.map(follow))) {
        offsets[event.position.partition] = event.position.offset + 1
        yield { event, cursor: formatCursor(offsets) }
      }
    } finally {
      left.abort()
    }
  }

  /** The cursor that starts one partition at an offset, and the others at their beginning. */
  async cursorAt(aggregateType: string, partition: number, offset: number): Promise<string> {
    const topic = eventTopic(aggregateType)
    this.#partitionsAsked(topic, { partition })
    const offsets = await this.#startOffsets(topic, {})
    return formatCursor(offsets.with(partition, offset))
  }

  async *#followPartition(
    topic: string,
    partition: number,
    from: number,
    query: CategoryQuery,
    signal: AbortSignal,
  ) {
    try {
      for await (const { records } of this.#reader.follow(topic, partition, from, signal)) {
        const events = records.flatMap((record) => eventOrNone(topic, record))
        yield* await this.#decode(topic, partition, events.filter(matches(query)))
      }
    } catch (error) {
      throw outsideLog(error) ?? error
    }
  }

  async #readPartition(
    topic: string,
    partition: number,
    from: number,
    query: CategoryQuery,
    most: { limit: number; scan: number },
  ) {
    const found: StoredEvent[] = []
    const wanted = matches(query)
    let scanned = 0
    const until = await this.#reader.endOffset(topic, partition)
    for await (const records of this.#reader.read(topic, partition, { from, until })) {
      for (const record of records) {
        const [event] = eventOrNone(topic, record)
        scanned++
        if (event !== undefined && wanted(event)) found.push(event)
        if (found.length < most.limit && scanned < most.scan) continue
        return { events: await this.#decode(topic, partition, found), next: record.offset + 1, scanned }
      }
    }
    return { events: await this.#decode(topic, partition, found), next: Math.max(from, until), scanned }
  }

  #decode(topic: string, partition: number, events: readonly StoredEvent[]): Promise<RecordedEvent[]> {
    return this.#format.decode(topic, partition, events)
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
      `partition ${query.partition} is not there: ${topic} has ${partitions}`,
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

/** A cursor that is of another log, or so old that retention has deleted what is behind it. */
const outsideLog = (error: unknown): EventStoreError | undefined =>
  error instanceof LogError && error.outcome === 'not-there'
    ? invalidRequest('cursor', `the cursor is outside the log: ${error.message}`)
    : undefined

/** Foreign records are passed over: services that own partitions tell of them, and no reader could do anything. */
function eventOrNone(topic: string, record: StoredRecord): StoredEvent[] {
  try {
    return [eventIn(topic, record)]
  } catch (error) {
    if (error instanceof InvalidInputError) return []
    throw error
  }
}

function matches({ eventTypes, from, until, correlationId }: CategoryQuery): (event: StoredEvent) => boolean {
  const fromMs = from === undefined ? -Infinity : parseTime(from, 'from')
  const untilMs = until === undefined ? Infinity : parseTime(until, 'until')
  return ({ type, timestamp, metadata }) =>
    (eventTypes === undefined || eventTypes.includes(type)) &&
    Date.parse(timestamp) >= fromMs &&
    Date.parse(timestamp) < untilMs &&
    (correlationId === undefined || metadata.correlationId === correlationId)
}
