import { type HoldBytes, readTurns } from '#bounds'
import {
  type LoadOptions,
  noVersion,
  partitionKey,
  type RecordedEvent,
  type StreamId,
  type StreamPage,
  type TopicPartition,
  type Version,
} from '#domain'
import type { EventFormat } from '#event-log'
import { type StoredEvent, storedEvent } from '#event-log/records'
import { EventStoreError, type ReadPlan } from '#event-store'
import { LogError, type LogReader } from '#kafka'
import type { EventPlace, IndexedStreamInfo, StoredSnapshot } from '#redis-index'

import type { TermMemory } from '../memory/term-memory.ts'
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

/** A stream when its read started. */
interface StreamHead {
  readonly version: Version
  /** The index had applied the log up to this offset; -1 if memory knew the version. */
  readonly nextOffset: number
  /** The owner's memory at that time. It is of the same log, even if the partition gets another one meanwhile. */
  readonly memory: TermMemory
  /** The places of some versions, contiguous. */
  readonly places: readonly EventPlace[]
}

/** A stream as its state is rebuilt. */
interface LoadedEvents {
  readonly version: Version
  readonly snapshot?: StoredSnapshot
  /** The events after the snapshot, up to one page. */
  readonly events: readonly StoredEvent[]
}

/** Reads a stream's events: recent ones from the owner's memory, the others from the log at the offsets in the index. */
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
    const head = await this.#head(stream)
    const { version } = head
    const isByTime = plan.fromMs !== -Infinity || plan.untilMs !== Infinity
    const steps = new HistorySteps(plan, version, isByTime ? Infinity : plan.limit + 1)
    const found: StoredEvent[] = []
    let scanned = 0
    let bytes = 0
    while (found.length <= plan.limit && bytes < pageBytesMax && scanned < scanMax) {
      const events = await this.#step(stream, head, steps)
      if (events === undefined) break
      scanned += events.length
      const wanted = inOrder(plan, events)
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
    const head = await this.#head(open())
    const steps = new HistorySteps(plan, head.version, eventsAtOnceMax)
    for (;;) {
      const stream = open()
      const events = await this.#step(stream, head, steps)
      if (events === undefined) return
      yield await this.decode(stream, inOrder(plan, events))
    }
  }

  /** The version of a stream, with everything that was acknowledged before. */
  async version(stream: OwnedStream): Promise<Version> {
    return (await this.#head(stream)).version
  }

  /** The snapshot of a stream, if it has this state version. */
  snapshot(
    { streamId, owner, deadlineMs }: OwnedStream,
    stateVersion: number,
  ): Promise<StoredSnapshot | undefined> {
    return owner.read(deadlineMs, async (index, guard) => {
      const found = await index.stream(guard, streamId, { stateVersion, to: 0 })
      return found === 'guard-lost' ? found : found.snapshot
    })
  }

  /** The snapshot of a stream and the events after it, up to one page. */
  async load(stream: OwnedStream, { stateVersion }: LoadOptions): Promise<LoadedEvents> {
    const { streamId, owner, deadlineMs } = stream
    if (stateVersion === undefined) {
      const recent = (await owner.recall(streamId, deadlineMs))?.stream(streamId)
      if (recent?.firstVersion === 1)
        return { version: recent.version, events: held(stream, recent.events()) }
    }
    const query = stateVersion === undefined ? {} : { stateVersion }
    const head = await owner.read(deadlineMs, async (index, guard, memory) => {
      const found = await index.stream(guard, streamId, query)
      return found === 'guard-lost' ? found : { ...found, nextOffset: guard.nextOffset, memory }
    })
    const { version, snapshot } = head
    const events = await this.#upToPage(stream, head, (snapshot?.version ?? 0) + 1)
    keepAll(streamId, head, events)
    return { version, events, ...(snapshot && { snapshot }) }
  }

  async #head({ streamId, owner, deadlineMs }: OwnedStream): Promise<StreamHead> {
    const recalled = await owner.recall(streamId, deadlineMs)
    const known = recalled?.version(streamId)
    if (recalled !== undefined && known !== undefined) {
      return { version: known, nextOffset: -1, memory: recalled, places: [] }
    }
    return owner.read(deadlineMs, async (index, guard, memory) => {
      const info = await index.info(guard, streamId)
      if (info === 'guard-lost') return info
      return { version: info?.version ?? noVersion, nextOffset: guard.nextOffset, memory, places: [] }
    })
  }

  async #upToPage(stream: OwnedStream, head: StreamHead, from: number): Promise<StoredEvent[]> {
    const plan = { fromVersion: from, toVersion: head.version, direction: 'forwards' } as const
    const steps = new HistorySteps(plan, head.version, Infinity)
    const found: StoredEvent[] = []
    for (let bytes = 0; bytes < pageBytesMax;) {
      const events = await this.#step(stream, head, steps)
      if (events === undefined) break
      bytes += bytesOf(events)
      found.push(...events)
    }
    return found.slice(0, countWithin(found, pageBytesMax))
  }

  /** The events of the next step; undefined at the end. */
  async #step(
    stream: OwnedStream,
    head: StreamHead,
    steps: HistorySteps,
  ): Promise<readonly StoredEvent[] | undefined> {
    const range = steps.take()
    if (range === undefined) return undefined
    const events = await this.#range(stream, head, ...range)
    steps.learn(events)
    return held(stream, events)
  }

  /** The events of these versions, both inclusive and within the stream. */
  async #range(
    stream: OwnedStream,
    head: StreamHead,
    from: number,
    to: number,
  ): Promise<readonly StoredEvent[]> {
    const { streamId } = stream
    const inMemory = head.memory.stream(streamId)?.events(from, to) ?? []
    const recent = inMemory.at(-1)?.version === to ? inMemory : []
    const until = to - recent.length
    if (from > until) return recent
    const older = await this.#fromLog(stream, await this.#places(stream, head, from, until), from, until)
    head.memory.keep(streamId, head.version, older, head.nextOffset)
    return recent.length === 0 ? older : [...older, ...recent]
  }

  /** The places of these versions. The index returns the first ones of a load together with the version. */
  #places(
    { streamId, owner, deadlineMs }: OwnedStream,
    { places }: StreamHead,
    from: number,
    to: number,
  ): Promise<readonly EventPlace[]> | readonly EventPlace[] {
    const isIncluded = (places[0]?.version ?? Infinity) <= from && (places.at(-1)?.version ?? 0) >= to
    if (isIncluded) return places.filter(({ version }) => version >= from && version <= to)
    return owner.read(deadlineMs, async (index, guard) => {
      const found = await index.stream(guard, streamId, { from, to })
      return found === 'guard-lost' ? found : found.places
    })
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
}

/** Keeps the events of all steps of a load. Only the last step could be kept when it was read: it reaches the stream's version. */
function keepAll(
  streamId: StreamId,
  { memory, version, nextOffset }: StreamHead,
  events: readonly StoredEvent[],
): void {
  const inMemory = memory.stream(streamId)?.firstVersion ?? Infinity
  const older = events.filter((event) => event.version < inMemory)
  if (older.length > 0) memory.keep(streamId, version, older, nextOffset)
}

/** Counts the bytes of events that a read holds. */
function held<Events extends readonly StoredEvent[]>({ hold }: OwnedStream, events: Events): Events {
  hold(bytesOf(events))
  return events
}

/** The number of events from the first on that fit into a number of bytes; at least one. */
function countWithin(events: readonly StoredEvent[], bytesMax: number): number {
  let bytes = 0
  const over = events.findIndex((event) => (bytes += event.value.length) > bytesMax)
  return over < 0 ? events.length : Math.max(1, over)
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

/** The events of one step that the plan wants, in its order. */
const inOrder = (plan: ReadPlan, events: readonly StoredEvent[]): readonly StoredEvent[] => {
  const wanted = events.filter(within(plan))
  return plan.direction === 'backwards' ? wanted.reverse() : wanted
}

const within =
  ({ fromMs, untilMs }: ReadPlan) =>
  ({ timestampMs }: StoredEvent): boolean =>
    timestampMs >= fromMs && timestampMs < untilMs
