import { aggregateIdOf, type StreamId } from '#domain'
import { varintLength } from '#varint'

import { IndexMismatchError } from './errors.ts'
import { EventKeyWriter } from './event-key.ts'
import { framesLength, writeFrames } from './event-run.ts'
import type { IndexEntry } from './index-entry.ts'
import type { MessagePackWriter } from './message-pack.ts'
import { chunkOf, streamHeaderBytes, writeStreamHeader } from './stream-record.ts'
import { packedLength, packOffsets } from './packed-offsets.ts'

/** The entries of one stream within a commit, contiguous and never empty. */
export interface StreamEntries {
  readonly aggregateId: string
  readonly entries: readonly IndexEntry[]
}

interface TailLimits {
  readonly eventsMax: number
  /** Older events do not enter a tail: they would have been cut from it already. */
  readonly notBeforeMs: number
}

/** @throws IndexMismatchError when the versions of a stream are not contiguous. */
export function groupByStream(entries: readonly IndexEntry[]): StreamEntries[] {
  const groups = new Map<StreamId, IndexEntry[]>()
  for (const entry of entries) {
    const group = groups.get(entry.streamId)
    if (group === undefined) groups.set(entry.streamId, [entry])
    else group.push(follows(group, entry))
  }
  return [...groups].map(([streamId, group]) => ({ aggregateId: aggregateIdOf(streamId), entries: group }))
}

function follows(group: readonly IndexEntry[], entry: IndexEntry): IndexEntry {
  const before = lastOf(group)
  if (entry.version === before.version + 1 && entry.offset > before.offset) return entry
  throw new IndexMismatchError(
    `stream ${entry.streamId}: version ${entry.version} at offset ${entry.offset} does not follow ` +
      `version ${before.version} at offset ${before.offset}`,
  )
}

/** How many items {@link writeStreams} writes. */
export const streamItems = 8

/** Writes the streams for commitScript. The lists are flat, because a table for each stream would dominate the cost in Lua. */
export function writeStreams(
  writer: MessagePackWriter,
  streams: readonly StreamEntries[],
  limits: TailLimits,
): void {
  const runs = streams.map(({ entries }) => splitAtChunks(entries))
  const tails = streams.map(({ entries }) => tailOf(entries, limits))
  writer.texts(streams.map(({ aggregateId }) => aggregateId))
  writer.numbers(runs.map(({ length }) => length))
  writer.array(runs.reduce((sum, { length }) => sum + length, 0))
  for (const ofStream of runs) for (const run of ofStream) writeRun(writer, run)
  writer.array(tails.length)
  for (const { payloads } of tails) {
    const { bytes, at } = writer.open(framesLength(payloads))
    writeFrames(bytes, at, payloads)
  }
  writer.numbers(tails.map(({ replace }) => (replace ? 1 : 0)))
  writer.numbers(tails.map(({ firstVersion }) => firstVersion))
  writer.numbers(tails.map(({ cutBefore }) => cutBefore))
  writeIds(writer, streams)
}

const runHeadBytes = 12

/** A run stays within one chunk, so that the script either extends or starts one. */
function splitAtChunks(entries: readonly IndexEntry[]): (readonly IndexEntry[])[] {
  const first = firstOf(entries)
  if (chunkOf(first.version) === chunkOf(lastOf(entries).version)) return [entries]
  const cut = entries.findIndex(({ version }) => chunkOf(version) !== chunkOf(first.version))
  return [entries.slice(0, cut), ...splitAtChunks(entries.slice(cut))]
}

/**
 * First version u32, first offset u48, where the second distance starts (u16, counted from 1), then the record that the stream
 * has if it starts here. A new stream's record is stored as it is; a longer stream's record is extended by the rest.
 */
function writeRun(writer: MessagePackWriter, entries: readonly IndexEntry[]): void {
  const first = firstOf(entries)
  const last = lastOf(entries)
  const offsets = entries.map(({ offset }) => offset)
  const { bytes, at } = writer.open(runHeadBytes + streamHeaderBytes + packedLength(offsets))
  bytes.writeUInt32BE(first.version, at)
  bytes.writeUIntBE(first.offset, at + 4, 6)
  bytes.writeUInt16BE(1 + runHeadBytes + streamHeaderBytes + varintLength(first.offset), at + 10)
  const chunkAt = writeStreamHeader(bytes, at + runHeadBytes, {
    version: last.version,
    firstTimestampMs: first.timestampMs,
    lastTimestampMs: last.timestampMs,
    lastOffset: last.offset,
  })
  packOffsets(bytes, chunkAt, offsets)
}

interface TailChange {
  /** Whether these events replace the tail; otherwise they are appended to it. */
  readonly replace: boolean
  /** The version of the first of `payloads`. */
  readonly firstVersion: number
  /** The first version that the tail keeps; 0 when it need not be cut now. */
  readonly cutBefore: number
  readonly payloads: readonly Buffer[]
}

function tailOf(entries: readonly IndexEntry[], { eventsMax, notBeforeMs }: TailLimits): TailChange {
  const lastOld = entries.findLastIndex(({ timestampMs }) => timestampMs < notBeforeMs)
  const kept = entries.slice(Math.max(lastOld + 1, entries.length - eventsMax))
  const first = firstOf(entries)
  const last = lastOf(entries)
  // Counting events in Redis costs more than an occasional tail of almost twice the length.
  const cuts = Math.floor(last.version / eventsMax) > Math.floor((first.version - 1) / eventsMax)
  return {
    replace: first.version === 1 || kept.length < entries.length,
    firstVersion: last.version - kept.length + 1,
    cutBefore: cuts ? Math.max(0, last.version - eventsMax + 1) : 0,
    payloads: kept.map(({ payload }) => payload),
  }
}

function writeIds(writer: MessagePackWriter, streams: readonly StreamEntries[]): void {
  writer.array(2 * streams.reduce((sum, { entries }) => sum + entries.length, 0))
  for (const { aggregateId, entries } of streams) {
    const keys = new EventKeyWriter(writer, aggregateId)
    for (const { eventId, version, offset } of entries) {
      keys.write(eventId)
      const { bytes, at } = writer.open(10)
      bytes.writeUInt32BE(version, at)
      bytes.writeUIntBE(offset, at + 4, 6)
    }
  }
}

const firstOf = (entries: readonly IndexEntry[]): IndexEntry => present(entries[0])
const lastOf = (entries: readonly IndexEntry[]): IndexEntry => present(entries.at(-1))

function present(entry: IndexEntry | undefined): IndexEntry {
  if (entry === undefined) throw new RangeError('a stream without entries')
  return entry
}
