import type { Guard } from './index-entry.ts'
import { type Buffers, guardedArgument, type IndexParts } from './index-parts.ts'
import { MessagePackWriter } from './message-pack.ts'
import { claimScript, dropGuardScript, dropKeptScript, termBeforeScript } from './scripts/guard-scripts.ts'
import { indexFormat } from './scripts/lua-parts.ts'
import { scanStreams } from './stream-scan.ts'
import { parseTerm, type GuardTerm, termOfStart, termText } from './term-text.ts'

/** Implements PartitionIndex.guard. */
export async function readGuard({ redis, keys }: IndexParts): Promise<Guard | undefined> {
  const reply = (await redis.call('HMGET', [
    keys.guard,
    'topicId',
    'term',
    'nextOffset',
    'format',
  ])) as Buffers
  const [topicId, term, nextOffset, format] = reply
  if (topicId == null || term == null || nextOffset == null) return undefined
  if (String(format) !== indexFormat) return undefined
  const owner = parseTerm(String(term))
  return owner && { topicId: String(topicId), ...owner, nextOffset: Number(nextOffset) }
}

/** Implements PartitionIndex.claim. */
export async function claimIndex(
  { redis, keys }: IndexParts,
  guard: Guard,
  seen: Guard | undefined,
): Promise<'guard-lost' | Guard> {
  const writer = guardedArgument(guard, 1)
  writer.text(seen === undefined ? '' : termText(seen))
  const claimed = await redis.run(claimScript, [keys.guard], writer.finish())
  return claimed === 1 ? guard : 'guard-lost'
}

/** Implements PartitionIndex.drop. */
export async function dropIndex(parts: IndexParts): Promise<void> {
  await parts.redis.call('UNLINK', [parts.keys.guard])
  await dropRest(parts)
}

/** Implements PartitionIndex.dropSeen. */
export async function dropSeenIndex(
  parts: IndexParts,
  seen: Guard | undefined,
): Promise<'guard-lost' | 'dropped'> {
  const writer = new MessagePackWriter()
  writer.texts(seen === undefined ? ['', '', ''] : [seen.topicId, termText(seen), String(seen.nextOffset)])
  const dropped = await parts.redis.run(dropGuardScript, [parts.keys.guard], writer.finish())
  if (dropped !== 1) return 'guard-lost'
  await dropRest(parts)
  return 'dropped'
}

/**
 * Deletes in many small steps. The guard was deleted first, so the remains are never taken for an index. An owner that starts a new
 * index in the meantime drops them, too.
 */
async function dropRest(parts: IndexParts): Promise<void> {
  const { redis, keys } = parts
  for await (const batch of scanStreams(parts)) {
    const snapshots = batch.map(([aggregateId]) => keys.snapshot(aggregateId))
    if (snapshots.length > 0) await redis.call('UNLINK', snapshots)
  }
  const segments = (await redis.call('SMEMBERS', [keys.segments])) as Buffer[]
  const kept = [keys.guard, keys.streams, keys.chunks, keys.terms, keys.segments, keys.snapshotCheckpoint]
  const ids = [...segments.map((segment) => keys.segment(Number(segment))), ...keys.former]
  await redis.run(dropKeptScript, [...kept, ...ids], Buffer.alloc(0))
}

/** Implements PartitionIndex.termBefore. */
export async function findTermBefore(
  { redis, keys }: IndexParts,
  topicId: string,
  offset: number,
): Promise<GuardTerm | undefined> {
  const writer = new MessagePackWriter()
  writer.texts([topicId, String(offset)])
  const found = await redis.run(termBeforeScript, [keys.guard, keys.terms], writer.finish())
  return found === null ? undefined : termOfStart((found as Buffer).toString())
}
