import { type HoldBytes, readTurns } from '#bounds'
import {
  noVersion,
  partitionKey,
  type RecordedEvent,
  type StreamId,
  type StreamPage,
  type TopicPartition,
} from '#domain'
import { type EventFormat, packEvent, unpackEvent } from '#event-log'
import { type StoredEvent, storedEvent } from '#event-log/records'
import { EventStoreError, type ReadPlan } from '#event-store'
import { LogError, type LogReader } from '#kafka'
import type { EventPlace, IndexedEvents, IndexedStreamInfo } from '#redis-index'

import type { PartitionWriter } from '../partition/partition-writer.ts'
import { bytesOf, HistorySteps } from './history-steps.ts'

/** One read of an owned stream. */
export interface OwnedStream {
  readonly streamId: StreamId
  readonly place: TopicPartition
  readonly owner: PartitionWriter
  /** By `performance.now()`. */
  readonly deadlineMs: number
  /** Called with the bytes that the read holds. */
  readonly hold: HoldBytes
}

/** Bytes of a page. A page of large events is short, and the next one continues. One event always fits. */
const pageBytesMax = 8 << 20
/** Versions that one page scans if it is bounded by time. */
const scanMax = 20_000
/** Events of a step of a history that is read completely. */
const eventsAtOnceMax = 500
/** Longer pages would evict more frequently read events from Redis. */
const rememberedBytesMax = 1 << 20

/** Reads a stream's events: recent ones from the index, the others from the log at the offsets in the index. */
export class StreamHistory {
  readonly #reader: LogReader
  readonly #format: EventFormat

  constructor(reader: LogReader, format: EventFormat) {
    this.#reader = reader
    this.#format = format
  }

  info({ streamId, owner, deadlineMs }: OwnedStream): Promise<IndexedStreamInfo | undefined> {
    return owner.read(deadlineMs, (index, guard) => index.info(guard, streamId))
  }

  /** One page of a plan. It is short, with the start of the next page, if events are large or few match the time range. */
  async page(stream: OwnedStream, plan: ReadPlan): Promise<StreamPage> {
    const version = (await this.info(stream))?.version ?? noVersion
    const isByTime = plan.fromMs !== -Infinity || plan.untilMs !== Infinity
    const steps = new HistorySteps(plan, version, isByTime ? Infinity : plan.limit + 1)
    const found: StoredEvent[] = []
    let scanned = 0
    let bytes = 0
    while (found.length <= plan.limit && bytes < pageBytesMax && scanned < scanMax) {
      const events = await this.#step(stream, steps)
      if (events === undefined) break
      scanned += events.length
      const ordered = plan.direction === 'backwards' ? events.toReversed() : events
      const wanted = ordered.filter(within(plan))
      bytes += bytesOf(wanted)
      found.push(...wanted)
    }
    const fitting = found.slice(0, Math.min(plan.limit, countWithin(found, pageBytesMax)))
    const next = found[fitting.length]?.version ?? steps.next
    return {
      streamId: stream.streamId,
      version,
      events: await this.decode(stream, fitting),
      ...(next !== undefined && { next }),
    }
  }

  decode({ place }: OwnedStream, events: readonly StoredEvent[]): Promise<RecordedEvent[]> {
    return this.#format.decode(place.topic, place.partition, events)
  }

  /**
   * All events of a plan, in its order, in steps.
   * @param open called for each step, because the partition may have moved and each step has its own deadline.
   */
  async *events(open: () => OwnedStream, plan: ReadPlan): AsyncGenerator<readonly RecordedEvent[]> {
    const version = (await this.info(open()))?.version ?? noVersion
    const steps = new HistorySteps(plan, version, eventsAtOnceMax)
    for (;;) {
      const stream = open()
      const events = await this.#step(stream, steps)
      if (events === undefined) return
      yield await this.decode(stream, events.filter(within(plan)))
    }
  }

  /** The events that the index has returned, up to one page. Events that are not in Redis are read from the log. */
  async stored(stream: OwnedStream, indexed: IndexedEvents): Promise<StoredEvent[]> {
    const toVersion = indexed.fromVersion + indexed.recent.length - 1
    const plan = { fromVersion: indexed.fromVersion, toVersion, direction: 'forwards' } as const
    const steps = new HistorySteps(plan, toVersion, Infinity)
    const found: StoredEvent[] = []
    let isFromLog = false
    for (let bytes = 0; bytes < pageBytesMax;) {
      const range = steps.take()
      if (range === undefined) break
      const read = await this.#complete(stream, partOf(indexed, ...range))
      steps.learn(read.events)
      stream.hold(bytesOf(read.events))
      isFromLog ||= read.isFromLog
      bytes += bytesOf(read.events)
      found.push(...read.events)
    }
    if (isFromLog) this.#remember(stream, lastWithin(found, rememberedBytesMax))
    return found.slice(0, countWithin(found, pageBytesMax))
  }

  /** The events of the next step; undefined at the end. */
  async #step(stream: OwnedStream, steps: HistorySteps): Promise<readonly StoredEvent[] | undefined> {
    const range = steps.take()
    if (range === undefined) return undefined
    const events = await this.#range(stream, ...range)
    steps.learn(events)
    stream.hold(bytesOf(events))
    return events
  }

  /** The events of these versions, both inclusive and within the stream. */
  async #range(stream: OwnedStream, from: number, to: number): Promise<readonly StoredEvent[]> {
    const { streamId, owner, deadlineMs } = stream
    const indexed = await owner.read(deadlineMs, (index, guard) => index.events(guard, streamId, from, to))
    const { events, isFromLog } = await this.#complete(stream, indexed)
    if (isFromLog) this.#remember(stream, events)
    return events
  }

  /** Reads the events that are not in Redis from the log. */
  async #complete(
    stream: OwnedStream,
    { fromVersion, recent, placesOf }: IndexedEvents,
  ): Promise<{ readonly events: readonly StoredEvent[]; readonly isFromLog: boolean }> {
    const events = await readTurns.map(recent, (payload) =>
      payload === undefined ? undefined : unpackEvent(stream.streamId, payload),
    )
    const last = events.lastIndexOf(undefined)
    if (last >= 0) {
      const first = events.indexOf(undefined)
      const range = [fromVersion + first, fromVersion + last] as const
      for (const event of await this.#fromLog(stream, placesOf(...range), ...range))
        events[event.version - fromVersion] = event
    }
    return { events: events.filter((event) => event !== undefined), isFromLog: last >= 0 }
  }

  async #fromLog(
    { streamId, place }: OwnedStream,
    places: readonly EventPlace[],
    from: number,
    to: number,
  ): Promise<StoredEvent[]> {
    const offsets = places.map(({ offset }) => offset)
    const records = await this.#reader
      .fetchAt(place.topic, place.partition, offsets)
      .catch((error: unknown) => failFetch(streamId, place, error))
    const events = await readTurns.map(records, storedEvent)
    // The index has no offsets of versions that were deleted before it was rebuilt.
    const isWhole =
      events.length === to - from + 1 && events.every(({ version }, at) => version === from + at)
    if (!isWhole) throw eventsDeleted(streamId, place)
    return events
  }

  /** Stores events in the index for later reads. The current read neither waits for that nor fails with it. */
  #remember({ streamId, owner, deadlineMs }: OwnedStream, events: readonly StoredEvent[]): void {
    const first = events[0]
    if (first === undefined || bytesOf(events) > rememberedBytesMax) return
    const remember = async () => {
      const payloads = await readTurns.map(events, (event) => packEvent(event, event.offset))
      await owner.read(deadlineMs, (index, guard) =>
        index.cacheStream(guard, streamId, first.version, payloads),
      )
    }
    remember().catch(() => undefined)
  }
}

/** The entries of the index for these versions, both inclusive. */
const partOf = (
  { fromVersion, recent, placesOf }: IndexedEvents,
  from: number,
  to: number,
): IndexedEvents => ({
  fromVersion: from,
  recent: recent.slice(from - fromVersion, to - fromVersion + 1),
  placesOf,
})

/** The number of events from the first on that fit into a number of bytes; at least one. */
function countWithin(events: readonly StoredEvent[], bytesMax: number): number {
  let bytes = 0
  const over = events.findIndex((event) => (bytes += event.value.length) > bytesMax)
  return over < 0 ? events.length : Math.max(1, over)
}

/** The longest sequence of last events that fits into a number of bytes. */
function lastWithin(events: readonly StoredEvent[], bytesMax: number): readonly StoredEvent[] {
  let bytes = 0
  const over = events.findLastIndex((event) => (bytes += event.value.length) > bytesMax)
  return events.slice(over + 1)
}

function failFetch(streamId: StreamId, place: TopicPartition, error: unknown): never {
  const isGone = error instanceof LogError && error.outcome === 'not-there'
  throw isGone ? eventsDeleted(streamId, place, error) : error
}

const eventsDeleted = (streamId: StreamId, place: TopicPartition, cause?: unknown): EventStoreError =>
  new EventStoreError(
    'events-deleted',
    `events of ${streamId} were deleted from the head of ${partitionKey(place)}: read it from a later version, or restore a backup (docs/operations/failover.md)`,
    {},
    { cause },
  )

const within =
  ({ fromMs, untilMs }: ReadPlan) =>
  ({ timestampMs }: StoredEvent): boolean =>
    timestampMs >= fromMs && timestampMs < untilMs
