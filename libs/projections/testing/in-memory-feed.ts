import {
  type DomainEvent,
  formatPartition,
  newEventId,
  noVersion,
  parseStreamId,
  type Position,
  position,
  type RecordedEvent,
  type StreamId,
  type TopicPartition,
  type Version,
  versionAfter,
} from '#domain'
import { type EventFeed, type FedChunk, type FedEvent, isReadable } from '#event-log/records'

/** An event to append. The feed assigns version and offset, and the time unless it is given. */
export type FedDraft = DomainEvent & { readonly streamId: string; readonly timestamp?: string }

export interface InMemoryFeedOptions {
  /** The most events that one chunk holds. */
  readonly chunkEventsMax?: number
}

interface Log {
  readonly events: FedEvent[]
  start: number
  end: number
  /** Resolves when the end of the log moves. */
  moved: PromiseWithResolvers<undefined>
}

const firstEventMs = Date.parse('2026-01-01T00:00:00.000Z')

/** Partitions in memory. Tests append while readers follow; markers leave gaps in the offsets. */
export class InMemoryFeed implements EventFeed {
  readonly #chunkEventsMax: number
  readonly #logs = new Map<string, Log>()
  readonly #versions = new Map<StreamId, Version>()
  #appended = 0

  constructor({ chunkEventsMax = 100 }: InMemoryFeedOptions = {}) {
    this.#chunkEventsMax = chunkEventsMax
  }

  append(source: TopicPartition, ...drafts: readonly FedDraft[]): readonly RecordedEvent[] {
    const recorded = drafts.map(({ streamId, type, data, timestamp }) => {
      const stream = parseStreamId(streamId)
      const version = versionAfter(this.#versions.get(stream) ?? noVersion)
      this.#versions.set(stream, version)
      const event: RecordedEvent = {
        id: newEventId(),
        streamId: stream,
        version,
        type,
        data,
        position: this.#nextPosition(source),
        timestamp: timestamp ?? this.#nextTime(),
        metadata: {},
      }
      this.#log(source).events.push(event)
      return event
    })
    this.#tell(source)
    return recorded
  }

  /** An unreadable record. */
  appendUnreadable(source: TopicPartition, why: string): Position {
    const place = this.#nextPosition(source)
    this.#log(source).events.push({
      position: place,
      timestamp: this.#nextTime(),
      unreadable: new Error(why),
    })
    this.#tell(source)
    return place
  }

  /** Offsets without events. */
  appendMarkers(source: TopicPartition, count = 1): void {
    this.#log(source).end += count
    this.#tell(source)
  }

  /** Deletes the head of the log, as retention does. */
  dropBefore(source: TopicPartition, offset: number): void {
    const log = this.#log(source)
    log.start = offset
    log.events.splice(0, log.events.filter(({ position }) => position.offset < offset).length)
  }

  /** All readable events, partition by partition. */
  get events(): readonly RecordedEvent[] {
    return [...this.#logs.values()].flatMap(({ events }) => events).filter(isReadable)
  }

  async *follow(source: TopicPartition, from: number, signal: AbortSignal): AsyncGenerator<FedChunk> {
    const log = this.#log(source)
    const aborted = Promise.withResolvers<undefined>()
    signal.addEventListener('abort', () => aborted.resolve(undefined), { once: true })
    for (let offset = from, isFirst = true; ; isFirst = false) {
      // Lets timers of the code under test run, however much there is to read.
      await new Promise(setImmediate)
      if (signal.aborted) return
      const { moved } = log
      const chunk = this.#chunk(log, offset)
      if (chunk.nextOffset !== offset || isFirst) yield chunk
      else await Promise.race([moved.promise, aborted.promise])
      offset = chunk.nextOffset
    }
  }

  startOffset(source: TopicPartition): Promise<number> {
    return Promise.resolve(this.#log(source).start)
  }

  endOffset(source: TopicPartition): Promise<number> {
    return Promise.resolve(this.#log(source).end)
  }

  eventAt({ topic, partition, offset }: Position): Promise<FedEvent> {
    const { events } = this.#log({ topic, partition })
    const event = events.find((candidate) => candidate.position.offset === offset)
    return event === undefined
      ? Promise.reject(new Error(`no event at ${topic}:${partition}:${offset}`))
      : Promise.resolve(event)
  }

  #chunk({ events, start, end }: Log, from: number): FedChunk {
    if (from < start) return { events: [], nextOffset: start, highWatermark: end }
    const rest = events.filter(({ position }) => position.offset >= from)
    const next = rest[this.#chunkEventsMax]
    return {
      events: rest.slice(0, this.#chunkEventsMax),
      nextOffset: next?.position.offset ?? end,
      highWatermark: end,
    }
  }

  #log(source: TopicPartition): Log {
    const key = formatPartition(source)
    const known = this.#logs.get(key)
    if (known !== undefined) return known
    const log: Log = { events: [], start: 0, end: 0, moved: Promise.withResolvers() }
    this.#logs.set(key, log)
    return log
  }

  #nextPosition(source: TopicPartition): Position {
    return position(source.topic, source.partition, this.#log(source).end++)
  }

  #nextTime(): string {
    return new Date(firstEventMs + 1_000 * this.#appended++).toISOString()
  }

  #tell(source: TopicPartition): void {
    const log = this.#log(source)
    log.moved.resolve(undefined)
    log.moved = Promise.withResolvers()
  }
}
