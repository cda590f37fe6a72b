import { aggregateIdOf, type StreamId } from '#domain'

import { encodeEventRun } from './event-run.ts'
import type { Guard } from './index-entry.ts'
import { guardedArgument, type IndexParts } from './index-parts.ts'
import { MessagePackWriter } from './message-pack.ts'
import { keepReadScript, saveSnapshotScript } from './scripts/stream-scripts.ts'
import { encodeSnapshot, type StoredSnapshot } from './snapshot.ts'

/** Implements PartitionIndex.saveSnapshot. */
export async function storeSnapshot(
  { redis, keys, options }: IndexParts,
  streamId: StreamId,
  snapshot: StoredSnapshot,
): Promise<boolean> {
  const name = aggregateIdOf(streamId)
  const writer = new MessagePackWriter()
  writer.array(3)
  writer.text(name)
  writer.bytes(encodeSnapshot(snapshot))
  writer.uint32(options.tailTtlSeconds)
  const streamKeys = [keys.guard, keys.streams, keys.tail(name), keys.snapshot(name)]
  return (await redis.run(saveSnapshotScript, streamKeys, writer.finish())) === 1
}

/** Implements PartitionIndex.cacheStream. */
export async function storeRead(
  { redis, keys, options }: IndexParts,
  guard: Guard,
  streamId: StreamId,
  firstVersion: number,
  payloads: readonly Buffer[],
): Promise<'guard-lost' | 'kept'> {
  const writer = guardedArgument(guard, 2)
  writer.bytes(encodeEventRun({ firstVersion, payloads }))
  writer.uint32(options.tailTtlSeconds)
  const readKeys = [keys.guard, keys.lately(aggregateIdOf(streamId))]
  return (await redis.run(keepReadScript, readKeys, writer.finish())) === 1 ? 'kept' : 'guard-lost'
}
