import { aggregateIdOf, type StreamId } from '#domain'

import type { IndexParts } from './index-parts.ts'
import { MessagePackWriter } from './message-pack.ts'
import { saveSnapshotScript } from './scripts/stream-scripts.ts'
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
  writer.uint32(options.snapshotTtlSeconds)
  const streamKeys = [keys.guard, keys.streams, keys.snapshot(name)]
  return (await redis.run(saveSnapshotScript, streamKeys, writer.finish())) === 1
}
