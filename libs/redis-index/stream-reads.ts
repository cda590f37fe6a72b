import { aggregateIdOf, noVersion, type StreamId, type Version } from '#domain'

import type { EventPlace } from './asks.ts'
import type { Guard } from './index-entry.ts'
import { type Buffers, guardedArgument, type IndexParts } from './index-parts.ts'
import { infoScript, streamScript } from './scripts/stream-scripts.ts'
import { decodeSnapshot, type StoredSnapshot } from './snapshot.ts'
import { chunkOf, decodeStreamRecord, offsetsIn } from './stream-record.ts'

export interface IndexedStreamInfo {
  readonly version: Version
  readonly snapshotVersion?: Version
  readonly firstTimestampMs: number
  readonly lastTimestampMs: number
}

/** The versions whose places a read returns, both inclusive. At most 1,000 are returned, the first ones. */
export interface PlacesQuery {
  /** The places start after the snapshot of this state version, if there is one; default: no snapshot is used. */
  readonly stateVersion?: number
  /** Default: 1. */
  readonly from?: number
  /** Default: the stream's last version. */
  readonly to?: number
}

export interface IndexedStream {
  /** 0 when there is no stream. */
  readonly version: Version
  readonly snapshot?: StoredSnapshot
  /** By version, from the first one of the query on. Versions whose events were deleted from the log are left out. */
  readonly places: readonly EventPlace[]
}

/** Stands for "the last version" in streamScript. */
const lastVersion = 2 ** 32 - 1

/** Implements PartitionIndex.stream. */
export async function readStream(
  { redis, keys }: IndexParts,
  guard: Guard,
  streamId: StreamId,
  { stateVersion = 0, from = 1, to = lastVersion }: PlacesQuery,
): Promise<'guard-lost' | IndexedStream> {
  const name = aggregateIdOf(streamId)
  const writer = guardedArgument(guard, 4)
  writer.text(name)
  writer.uint32(stateVersion)
  writer.uint32(from)
  writer.uint32(Math.max(0, to))
  const streamKeys = [keys.guard, keys.streams, keys.snapshot(name), keys.chunks]
  const reply = await redis.run(streamScript, streamKeys, writer.finish())
  return Array.isArray(reply) ? indexedStream(reply as StreamReply) : 'guard-lost'
}

type StreamReply = [
  record: Buffer | null,
  snapshot: Buffer | null,
  from: number,
  to: number,
  fullChunks: Buffers,
]

function indexedStream([stored, snapshotBytes, from, to, full]: StreamReply): IndexedStream {
  if (stored === null) return { version: noVersion, places: [] }
  const { version, chunk } = decodeStreamRecord(stored)
  const inFull = full.flatMap((packed, index) =>
    packed == null ? [] : offsetsIn(packed, chunkOf(from) + index, from, to),
  )
  return {
    version,
    ...(snapshotBytes !== null && { snapshot: decodeSnapshot(snapshotBytes) }),
    places: from > to ? [] : [...inFull, ...offsetsIn(chunk, chunkOf(version), from, to)],
  }
}

/** Implements PartitionIndex.info. */
export async function readInfo(
  { redis, keys }: IndexParts,
  guard: Guard,
  streamId: StreamId,
): Promise<'guard-lost' | IndexedStreamInfo | undefined> {
  const name = aggregateIdOf(streamId)
  const writer = guardedArgument(guard, 1)
  writer.text(name)
  const streamKeys = [keys.guard, keys.streams, keys.snapshot(name)]
  const reply = await redis.run(infoScript, streamKeys, writer.finish())
  if (!Array.isArray(reply)) return 'guard-lost'
  const [stored, snapshot] = reply as [Buffer | null, Buffer]
  if (stored === null) return undefined
  const snapshotVersion = snapshot.length === 4 ? (snapshot.readUInt32BE() as Version) : undefined
  return { ...streamInfo(stored), ...(snapshotVersion !== undefined && { snapshotVersion }) }
}

/** The fields of a stream's record. */
export function streamInfo(record: Buffer): IndexedStreamInfo {
  const { version, firstTimestampMs, lastTimestampMs } = decodeStreamRecord(record)
  return { version, firstTimestampMs, lastTimestampMs }
}
