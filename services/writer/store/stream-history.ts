import { noVersion, type RecordedEvent, type StreamId, type StreamPage, type Version } from '#domain'
import { type EventFormat, packEvent, type StoredEvent, storedEvent, unpackEvent } from '#event-log'
import { EventStoreError, type ReadPlan } from '#event-store'
import { LogError, type LogReader } from '#kafka'
import type { IndexedStreamInfo } from '#redis-index'

import type { PartitionOwner } from '../partition/partition-owner.ts'
import type { StreamPlace } from './partitions.ts'

/** One owned stream to read. */
export interface OwnedStream {
  readonly streamId: StreamId
  readonly place: StreamPlace
  readonly owner: PartitionOwner
  /** By `performance.now()`. */
  readonly deadlineMs: number
}

/** Versions looked at in one step when a read is bounded by time. */
const stepByTime = 500

/** Reads a stream's events: the recent ones from the index, the rest from the log at the offsets that the index knows. */
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

  async page(stream: OwnedStream, plan: ReadPlan): Promise<StreamPage> {
    const version = (await this.info(stream))?.version ?? noVersion
    const found: StoredEvent[] = []
    for (const [from, to] of steps(plan, version)) {
      const events = await this.stored(stream, from, to)
      if (plan.direction === 'backwards') events.reverse()
      found.push(...events.filter(within(plan)))
      if (found.length > plan.limit) break
    }
    const next = found[plan.limit]?.version
    return {
      streamId: stream.streamId,
      version,
      events: await this.decode(stream, found.slice(0, plan.limit)),
      ...(next !== undefined && { next }),
    }
  }

  decode({ place }: OwnedStream, events: readonly StoredEvent[]): Promise<RecordedEvent[]> {
    return this.#format.decode(place.topic, place.partition, events)
  }

  /** The events of these versions, both inclusive and within the stream. */
  async stored(stream: OwnedStream, from: number, to: number): Promise<StoredEvent[]> {
    const { streamId, owner, deadlineMs } = stream
    const recent = await owner.read(deadlineMs, (index, guard) => index.recent(guard, streamId, from, to))
    const last = recent.lastIndexOf(undefined)
    if (last < 0)
      return recent.flatMap((payload) => (payload === undefined ? [] : [unpackEvent(streamId, payload)]))
    const first = recent.indexOf(undefined)
    const fromLog = await this.#fromLog(stream, from + first, from + last)
    const events = recent.map((payload) =>
      payload === undefined ? undefined : unpackEvent(streamId, payload),
    )
    for (const event of fromLog) events[event.version - from] = event
    const whole = events.filter((event) => event !== undefined)
    this.#remember(stream, whole)
    return whole
  }

  async #fromLog(
    { streamId, place, owner, deadlineMs }: OwnedStream,
    from: number,
    to: number,
  ): Promise<StoredEvent[]> {
    const places = await owner.read(deadlineMs, (index, guard) => index.offsets(guard, streamId, from, to))
    const offsets = places.map(({ offset }) => offset)
    const records = await this.#reader
      .fetchAt(place.topic, place.partition, offsets)
      .catch((error: unknown) => failFetch(streamId, place, error))
    const events = records.map(storedEvent)
    // Of versions that were deleted before the index was rebuilt, it knows no offset of their own.
    const isWhole =
      events.length === to - from + 1 && events.every(({ version }, at) => version === from + at)
    if (!isWhole) throw eventsDeleted(streamId, place)
    return events
  }

  /** Next time these come from the index. That they do not is no reason for anybody to wait or to fail. */
  #remember({ streamId, owner, deadlineMs }: OwnedStream, events: readonly StoredEvent[]): void {
    const first = events[0]
    if (first === undefined) return
    const payloads = events.map((event) => packEvent(event, event.offset))
    owner
      .read(deadlineMs, (index, guard) => index.cacheStream(guard, streamId, first.version, payloads))
      .catch(() => undefined)
  }
}

function failFetch(streamId: StreamId, place: StreamPlace, error: unknown): never {
  const isGone = error instanceof LogError && error.outcome === 'not-there'
  throw isGone ? eventsDeleted(streamId, place, error) : error
}

const eventsDeleted = (
  streamId: StreamId,
  { topic, partition }: StreamPlace,
  cause?: unknown,
): EventStoreError =>
  new EventStoreError(
    'events-deleted',
    `events of ${streamId} were deleted from the head of ${topic}/${partition}: read it from a later version, or restore a backup (docs/operations/failover.md)`,
    {},
    { cause },
  )

/** The versions to look at, step by step, in the order of the plan. Without time bounds one step holds the page and one event more. */
function* steps(plan: ReadPlan, version: Version): Generator<[from: number, to: number]> {
  const first = Math.max(1, plan.fromVersion)
  const last = Math.min(plan.toVersion, version)
  const byTime = plan.fromMs !== -Infinity || plan.untilMs !== Infinity
  const size = byTime ? stepByTime : plan.limit + 1
  if (plan.direction === 'forwards') {
    for (let from = first; from <= last; from += size) yield [from, Math.min(last, from + size - 1)]
  } else {
    for (let to = last; to >= first; to -= size) yield [Math.max(first, to - size + 1), to]
  }
}

const within =
  ({ fromMs, untilMs }: ReadPlan) =>
  ({ timestamp }: StoredEvent): boolean => {
    const ms = Date.parse(timestamp)
    return ms >= fromMs && ms < untilMs
  }
