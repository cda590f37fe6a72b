import { LRUCache } from 'lru-cache'

import type { EventMetadata, StreamId, Version } from '#domain'
import type { EncodedEvent, StoredEvent } from '#event-log/records'

/** A stream with more bytes keeps only its last events. */
const streamBytesMax = 1 << 20
/** Approximate size in memory of a stream and of an event, without its value and its metadata. */
const streamBytes = 300
const eventBytes = 300

/**
 * An event in memory. Its value is text with one character for each byte: a small buffer would share its memory with others,
 * and keep all of it.
 */
interface RecentEvent extends Omit<StoredEvent, 'value' | 'streamId'> {
  readonly text: string
  readonly bytes: number
}

/** One owner's memory of its streams. Streams of other owners in {@link RecentStreams} do not count. */
export interface Remembering {
  /** Called when a stream is evicted whose last event is at this offset. */
  readonly evicted: (lastOffset: number) => void
}

interface Entry {
  readonly owner: Remembering
  version: Version
  lastOffset: number
  events: RecentEvent[]
  bytes: number
}

/** The version of a stream and its last events, contiguous up to that version. */
export interface RecentStream {
  readonly version: Version
  /** The version of the first event in memory; the next version if there is none. */
  readonly firstVersion: number
  /** The events of these versions, both inclusive, as far as they are in memory. */
  readonly events: (fromVersion?: number, toVersion?: number) => StoredEvent[]
  /** The offset of a version in memory. */
  readonly offsetOf: (version: number) => number | undefined
}

/** The latest events of recently used streams of all partitions of a process, bounded in bytes; the least recently used stream is evicted first. */
export class RecentStreams {
  readonly #streams: LRUCache<StreamId, Entry>

  constructor(bytesMax: number) {
    this.#streams = new LRUCache({
      maxSize: Math.max(1, bytesMax),
      sizeCalculation: ({ bytes }) => bytes,
      dispose: (entry, _, reason) => {
        if (reason !== 'set') entry.owner.evicted(entry.lastOffset)
      },
    })
  }

  get bytes(): number {
    return this.#streams.calculatedSize
  }

  get size(): number {
    return this.#streams.size
  }

  get(owner: Remembering, streamId: StreamId): RecentStream | undefined {
    const entry = this.#entry(owner, streamId)
    return entry && recentStream(streamId, entry)
  }

  /** The version of a stream, without what {@link get} prepares. */
  version(owner: Remembering, streamId: StreamId): Version | undefined {
    return this.#entry(owner, streamId)?.version
  }

  /** Adds an event that follows the last version of its stream. */
  append(owner: Remembering, event: EncodedEvent, offset: number): void {
    const before = this.#entry(owner, event.streamId)
    // The cache measures an entry only when it is another object.
    const entry = before === undefined ? newEntry(owner, event.streamId) : { ...before }
    add(entry, recentEvent(event, offset))
    this.#set(event.streamId, entry)
  }

  /**
   * Adds events that were read from the log: contiguous, and directly before those in memory or the last ones of the stream.
   * @param version of the stream
   */
  prepend(owner: Remembering, streamId: StreamId, version: Version, events: readonly StoredEvent[]): void {
    const last = events.at(-1)
    const entry = this.#entry(owner, streamId)
    const follows = entry === undefined ? version : entry.version - entry.events.length
    if (last?.version !== follows) return
    const read = newEntry(owner, streamId)
    for (const event of fitting(events, streamBytesMax - (entry?.bytes ?? read.bytes))) add(read, event)
    for (const event of entry?.events ?? []) add(read, event)
    if (read.version === version) this.#set(streamId, read)
  }

  #entry(owner: Remembering, streamId: StreamId): Entry | undefined {
    const entry = this.#streams.get(streamId)
    return entry?.owner === owner ? entry : undefined
  }

  #set(streamId: StreamId, entry: Entry): void {
    if (entry.bytes > streamBytesMax) shorten(entry)
    const before = this.#streams.peek(streamId)
    // A read that outlives its term may replace a stream of the owner that follows.
    if (before !== undefined && before.owner !== entry.owner) before.owner.evicted(before.lastOffset)
    this.#streams.set(streamId, entry)
    // An entry of more than the whole budget is not kept.
    if (entry.bytes > this.#streams.maxSize) entry.owner.evicted(entry.lastOffset)
  }
}

const newEntry = (owner: Remembering, streamId: StreamId): Entry => ({
  owner,
  version: 0 as Version,
  lastOffset: -1,
  events: [],
  bytes: streamBytes + 2 * streamId.length,
})

function add(entry: Entry, event: RecentEvent): void {
  entry.events.push(event)
  entry.version = event.version
  entry.lastOffset = event.offset
  entry.bytes += event.bytes
}

/** The longest sequence of last events that fits into a number of bytes. */
function fitting(events: readonly StoredEvent[], bytesMax: number): RecentEvent[] {
  const recent = events.map((event) => recentEvent(event, event.offset))
  let bytes = 0
  const over = recent.findLastIndex((event) => (bytes += event.bytes) > bytesMax)
  return recent.slice(over + 1)
}

/** Drops the first events, so that the rest takes at most half of the bound: not every event that follows moves the others. */
function shorten(entry: Entry): void {
  const first = entry.events.findIndex(({ bytes }) => {
    entry.bytes -= bytes
    return entry.bytes <= streamBytesMax / 2
  })
  entry.events = entry.events.slice(first + 1)
}

function recentEvent(event: EncodedEvent, offset: number): RecentEvent {
  const { id, type, version, timestamp, timestampMs, metadata, value } = event
  const text = value.toString('latin1')
  const bytes = eventBytes + text.length + metadataBytes(metadata)
  return { id, type, version, timestamp, timestampMs, metadata, offset, text, bytes }
}

function metadataBytes(metadata: EventMetadata): number {
  let bytes = 0
  for (const name in metadata) bytes += 48 + 2 * name.length + 2 * String(metadata[name]).length
  return bytes
}

function recentStream(streamId: StreamId, { version, events }: Entry): RecentStream {
  const firstVersion = version - events.length + 1
  const last = version
  return {
    version,
    firstVersion,
    events: (from = firstVersion, to = last) =>
      events
        .slice(Math.max(0, from - firstVersion), Math.max(0, Math.min(to, last) - firstVersion + 1))
        .map((event) => storedEvent(streamId, event)),
    offsetOf: (wanted) => (wanted > last ? undefined : events[wanted - firstVersion]?.offset),
  }
}

const storedEvent = (streamId: StreamId, event: RecentEvent): StoredEvent => ({
  id: event.id,
  streamId,
  type: event.type,
  version: event.version,
  timestamp: event.timestamp,
  timestampMs: event.timestampMs,
  metadata: event.metadata,
  value: Buffer.from(event.text, 'latin1'),
  offset: event.offset,
})
