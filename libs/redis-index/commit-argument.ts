import { aggregateIdOf, type StreamId } from '#domain'
import { varintLength } from '#varint'

import { IndexMismatchError } from './errors.ts'
import type { IndexEntry } from './index-entry.ts'
import type { MessagePackWriter } from './message-pack.ts'
import { chunkOf, streamHeaderBytes, writeStreamHeader } from './stream-record.ts'
import { packedLength, packOffsets } from './packed-offsets.ts'

/** The entries of one stream within a commit, contiguous and never empty. */
export interface StreamEntries {
  readonly aggregateId: string
  readonly entries: readonly IndexEntry[]
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
export const streamItems = 3

/** Writes the streams for commitScript. The lists are flat, because a table for each stream would dominate the cost in Lua. */
export function writeStreams(writer: MessagePackWriter, streams: readonly StreamEntries[]): void {
  const runs = streams.map(({ entries }) => splitAtChunks(entries))
  writer.texts(streams.map(({ aggregateId }) => aggregateId))
  writer.numbers(runs.map(({ length }) => length))
  writer.array(runs.reduce((sum, { length }) => sum + length, 0))
  for (const ofStream of runs) for (const run of ofStream) writeRun(writer, run)
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

const firstOf = (entries: readonly IndexEntry[]): IndexEntry => present(entries[0])
const lastOf = (entries: readonly IndexEntry[]): IndexEntry => present(entries.at(-1))

function present(entry: IndexEntry | undefined): IndexEntry {
  if (entry === undefined) throw new RangeError('a stream without entries')
  return entry
}
