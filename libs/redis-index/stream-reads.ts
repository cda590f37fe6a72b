import { aggregateIdOf, noVersion, type StreamId, type Version } from '#domain'

import type { EventPlace } from './asks.ts'
import { decodeEventRun } from './event-run.ts'
import type { Guard } from './index-entry.ts'
import { type Buffers, guardedArgument, type IndexParts } from './index-parts.ts'
import { streamScript, infoScript } from './scripts/stream-scripts.ts'
import { decodeSnapshot } from './snapshot.ts'
import {
  assembleEvents,
  assembleLoad,
  type IndexedEvents,
  type LoadedFromIndex,
  type StreamParts,
} from './stream-parts.ts'
import { chunkOf, decodeStreamRecord, offsetsIn } from './stream-record.ts'

export interface IndexedStreamInfo {
  readonly version: Version
  readonly snapshotVersion?: Version
  readonly firstTimestampMs: number
  readonly lastTimestampMs: number
}

/** Implements PartitionIndex.load. */
export async function loadStream(
  parts: IndexParts,
  guard: Guard,
  streamId: StreamId,
  stateVersion: number,
): Promise<'guard-lost' | LoadedFromIndex> {
  const read = await readStream(parts, guard, streamId, { stateVersion, from: 1, to: 0 })
  return read === 'guard-lost' ? read : assembleLoad(read)
}

/** Implements PartitionIndex.events. */
export async function readEvents(
  parts: IndexParts,
  guard: Guard,
  streamId: StreamId,
  fromVersion: number,
  toVersion: number,
): Promise<'guard-lost' | IndexedEvents> {
  const read = await readStream(parts, guard, streamId, { stateVersion: 0, from: fromVersion, to: toVersion })
  return read === 'guard-lost' ? read : assembleEvents(read, fromVersion, toVersion)
}

interface StreamQuery {
  /** 0: no snapshot. */
  readonly stateVersion: number
  readonly from: number
  /** 0: the versions that a load needs. */
  readonly to: number
}

async function readStream(
  { redis, keys }: IndexParts,
  guard: Guard,
  streamId: StreamId,
  { stateVersion, from, to }: StreamQuery,
): Promise<'guard-lost' | StreamParts> {
  const name = aggregateIdOf(streamId)
  const writer = guardedArgument(guard, 4)
  writer.text(name)
  writer.uint32(stateVersion)
  writer.uint32(from)
  writer.uint32(to)
  const streamKeys = [keys.guard, keys.streams, keys.tail(name), keys.snapshot(name), keys.lately(name)]
  const reply = await redis.run(streamScript, [...streamKeys, keys.chunks], writer.finish())
  return Array.isArray(reply) ? decodeParts(reply as StreamReply, from) : 'guard-lost'
}

type StreamReply = [
  record: Buffer | null,
  snapshot: Buffer | null,
  tail: Buffer | null,
  lately: Buffer | null,
  chunks: Buffers,
]

function decodeParts([stored, snapshotBytes, tail, lately, full]: StreamReply, from: number): StreamParts {
  const record = stored === null ? undefined : decodeStreamRecord(stored)
  const snapshot = snapshotBytes === null ? undefined : decodeSnapshot(snapshotBytes)
  const firstChunk = chunkOf((snapshot?.version ?? from - 1) + 1)
  const placesOf = (fromVersion: number, toVersion: number): readonly EventPlace[] => {
    if (record === undefined || fromVersion > toVersion) return []
    const chunks = [...full.entries()].flatMap(([index, packed]) =>
      packed == null ? [] : offsetsIn(packed, firstChunk + index, fromVersion, toVersion),
    )
    return [...chunks, ...offsetsIn(record.chunk, chunkOf(record.version), fromVersion, toVersion)]
  }
  return {
    version: record?.version ?? noVersion,
    snapshot,
    tail: decodeEventRun(tail),
    lately: decodeEventRun(lately),
    placesOf,
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
