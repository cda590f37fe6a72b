import { type InspectedParts, inspectedStream, type InspectedStream } from './inspected-stream.ts'
import type { Guard } from './index-entry.ts'
import { guardedArgument, type IndexParts } from './index-parts.ts'
import { inspectScript } from './scripts/stream-scripts.ts'

/** Aggregate ids with their stored stream records, in batches and in no order. A stream that changes meanwhile may come twice. */
export async function* scanStreams({
  redis,
  keys,
}: IndexParts): AsyncGenerator<(readonly [aggregateId: string, record: Buffer])[]> {
  let cursor = '0'
  do {
    const reply = await redis.call('HSCAN', [keys.streams, cursor, 'COUNT', 500])
    const [next, fields] = reply as [Buffer, Buffer[]]
    cursor = String(next)
    yield pairs(fields)
  } while (cursor !== '0')
}

function pairs(fields: readonly Buffer[]): (readonly [string, Buffer])[] {
  return fields.flatMap((name, index) => {
    const value = fields[index + 1]
    return index % 2 === 0 && value !== undefined ? [[name.toString(), value] as const] : []
  })
}

/** Implements PartitionIndex.inspect. */
export async function inspectStreams(
  { redis, keys }: IndexParts,
  guard: Guard,
  aggregateIds: readonly string[],
): Promise<'guard-lost' | readonly (InspectedStream | Error | undefined)[]> {
  const writer = guardedArgument(guard, 1)
  writer.texts(aggregateIds)
  const snapshots = aggregateIds.map((name) => keys.snapshot(name))
  const streamKeys = [keys.guard, keys.streams, keys.chunks, ...snapshots]
  const reply = await redis.run(inspectScript, streamKeys, writer.finish())
  return Array.isArray(reply) ? (reply as InspectedParts[]).map(inspectedStream) : 'guard-lost'
}
