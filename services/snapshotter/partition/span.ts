import { setImmediate as nextTurn } from 'node:timers/promises'

import {
  type LoadedAggregate,
  newAggregate,
  aggregateIdOf,
  type RecordedEvent,
  type StreamId,
  type Version,
} from '#domain'
import type { EventFormat } from '#event-log'
import { isReadable, type FedEvent } from '#event-log/records'
import type { Followed, StoredRecord } from '#kafka'
import type { EventCodec } from '#schemas'

import { dueStreams } from './due-streams.ts'
import type { StateMemory } from './state-memory.ts'
import type { SnapshotAggregate } from './state-source.ts'
import type { StreamStarts } from './stream-starts.ts'

export interface SpanParts {
  readonly aggregate: SnapshotAggregate
  /** The event topic. */
  readonly topic: string
  readonly partition: number
  readonly format: Pick<EventFormat, 'decodeEach'>
  readonly codec: Pick<EventCodec, 'encode'>
  readonly memory: StateMemory
  readonly starts: Pick<StreamStarts, 'areReadFrom'>
  /** Called with each record that is not an event of Annals. */
  readonly onForeign: (offset: number, error: unknown) => void
}

/** A stream that is due for a snapshot. */
export interface DueStream {
  readonly streamId: StreamId
  /** Its highest version so far that is a multiple of `every`. */
  readonly version: Version
  /** Its state after the events read, if they could all be folded. It is released when the snapshot was taken. */
  readonly folded: LoadedAggregate<unknown> | undefined
}

interface SpanStream {
  due: Version | undefined
  folded: LoadedAggregate<unknown> | undefined
  bytes: number
}

/** A reader this far from the end of the log folds events, and waits with snapshots until it is closer. */
const farOffsets = 5_000
/** After this time, snapshots are taken however far the end is, so that the checkpoint moves. */
const spanMsMax = 30 * 60_000
/** Records that are decoded and folded in one turn of the event loop. */
const recordsAtOnce = 256
/** Estimates of the memory of a stream, and of a byte of its state once decoded. */
const streamBytes = 600
const decodedFactor = 8

/**
 * The part of the log between a checkpoint and the reader. Far from the end of the log, the streams that begin in it are
 * folded as they are read, so a snapshot of them needs no second read. It holds each due stream once, however often it was
 * due. The states are bounded by {@link StateMemory}.
 */
export class Span {
  readonly #parts: SpanParts
  readonly #startedMs = performance.now()
  readonly #streams = new Map<StreamId, SpanStream>()
  readonly #from: number
  #nextOffset: number
  #bytes = 0
  /** Whether events are folded: its first records decide, because a stream is only folded from its first event on. */
  #isFolding: boolean | undefined

  /** @param from the offset of the checkpoint. */
  constructor(parts: SpanParts, from: number) {
    this.#parts = parts
    this.#from = from
    this.#nextOffset = from
  }

  /** The next offset to read. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** The streams that are due. */
  *due(): Generator<DueStream> {
    for (const [streamId, stream] of this.#streams) {
      if (stream.due === undefined) continue
      yield {
        streamId,
        version: stream.due,
        get folded() {
          return stream.folded
        },
      }
    }
  }

  /** Whether its snapshots must be taken before more is read. */
  isComplete(highWatermark: number, nowMs = performance.now()): boolean {
    const isNear = highWatermark - this.#nextOffset <= farOffsets
    return isNear || this.#parts.memory.isFull || nowMs - this.#startedMs >= spanMsMax
  }

  /**
   * Adds the next records. After an error, the records before {@link nextOffset} are added.
   * @throws SchemaError `registry-unreachable`; LogError
   */
  async read({ records, nextOffset, highWatermark }: Followed): Promise<void> {
    const isFar = highWatermark - nextOffset > farOffsets
    this.#isFolding ??= isFar && (await this.#parts.starts.areReadFrom(this.#from))
    if (this.#isFolding) await this.#foldAll(records)
    else this.#collect(records)
    this.#nextOffset = nextOffset
  }

  /** A stream whose snapshot was taken is no longer due. It stays known: it cannot begin again in this span. */
  taken(streamId: StreamId): void {
    const stream = this.#add(streamId)
    stream.due = undefined
    stream.folded = undefined
    this.#resize(stream, streamBytes)
  }

  /** Releases the memory of its states. */
  close(): void {
    this.#streams.clear()
    this.#use(-this.#bytes)
  }

  #collect(records: readonly StoredRecord[]): void {
    const { topic, aggregate, onForeign } = this.#parts
    for (const [streamId, version] of dueStreams(topic, records, aggregate.snapshot.every, onForeign)) {
      this.#add(streamId).due = version
    }
  }

  async #foldAll(records: readonly StoredRecord[]): Promise<void> {
    const { topic, partition, format } = this.#parts
    for (let at = 0; at < records.length; at += recordsAtOnce) {
      const some = records.slice(at, at + recordsAtOnce)
      for (const event of await format.decodeEach(topic, partition, some)) this.#addEvent(event)
      this.#nextOffset = (some.at(-1)?.offset ?? 0) + 1
      await nextTurn()
    }
  }

  #addEvent(event: FedEvent): void {
    if (isReadable(event)) {
      this.#fold(event)
      this.#addDue(event)
    } else if (event.event === undefined) {
      this.#parts.onForeign(event.position.offset, event.unreadable)
    } else {
      this.#endFold(event.event)
      this.#addDue(event.event)
    }
  }

  /** The stream's events from one that cannot be decoded on are not folded, and a repeated first version does not begin it. */
  #endFold({ streamId, version }: Pick<RecordedEvent, 'streamId' | 'version'>): void {
    const stream = this.#add(streamId)
    if (version > (stream.folded?.version ?? 0)) stream.folded = undefined
  }

  #addDue({ streamId, version }: Pick<RecordedEvent, 'streamId' | 'version'>): void {
    if (version % this.#parts.aggregate.snapshot.every === 0) this.#add(streamId).due = version
  }

  /** Like an index, it skips an event whose version the stream already has. */
  #fold(event: RecordedEvent): void {
    const { streamId, version } = event
    const stream = this.#streams.get(streamId) ?? (version === 1 ? this.#begin(streamId) : undefined)
    if (stream?.folded === undefined || version <= stream.folded.version) return
    stream.folded = this.#evolved(stream.folded, event)
    if (isPowerOfTwo(version)) this.#measure(stream)
  }

  #begin(streamId: StreamId): SpanStream {
    const stream = this.#add(streamId)
    stream.folded = newAggregate(this.#parts.aggregate, aggregateIdOf(streamId))
    return stream
  }

  /** @returns undefined if the event does not follow or cannot be folded: a load of the stream reports the reason. */
  #evolved(
    { streamId, version, state }: LoadedAggregate<unknown>,
    event: RecordedEvent,
  ): LoadedAggregate<unknown> | undefined {
    if (event.version !== version + 1) return undefined
    try {
      return { streamId, version: event.version, state: this.#parts.aggregate.evolve(state, event) }
    } catch {
      return undefined
    }
  }

  /** States are measured at powers of two: a state that grows with its events at most doubles in between. */
  #measure(stream: SpanStream): void {
    this.#resize(stream, streamBytes + decodedFactor * this.#encodedBytes(stream))
  }

  /** A state that does not fit its schema is not kept, because its size is unknown. */
  #encodedBytes(stream: SpanStream): number {
    const { aggregate, codec } = this.#parts
    if (stream.folded === undefined) return 0
    try {
      return codec.encode(aggregate.type, aggregate.snapshot.schema, stream.folded.state, 'snapshot').length
    } catch {
      stream.folded = undefined
      return 0
    }
  }

  #add(streamId: StreamId): SpanStream {
    const known = this.#streams.get(streamId)
    if (known !== undefined) return known
    const added = { due: undefined, folded: undefined, bytes: streamBytes }
    this.#streams.set(streamId, added)
    this.#use(streamBytes)
    return added
  }

  #resize(stream: SpanStream, bytes: number): void {
    this.#use(bytes - stream.bytes)
    stream.bytes = bytes
  }

  #use(bytes: number): void {
    this.#bytes += bytes
    this.#parts.memory.add(bytes)
  }
}

const isPowerOfTwo = (version: number): boolean => (version & (version - 1)) === 0
