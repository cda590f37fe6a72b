import type { PartitionIndex } from './partition-index.ts'

/**
 * Where the index needs the log from, if the log does not reach back so far and no operator has accepted that: then the
 * partition cannot be served. Undefined where it can.
 * @param topicId of the topic as it is now. @param startOffset the first offset that its log still has.
 */
export async function missingHead(
  index: Pick<PartitionIndex, 'guard' | 'acceptedStart'>,
  topicId: string,
  startOffset: number,
): Promise<number | undefined> {
  if (startOffset === 0) return undefined
  const guard = await index.guard()
  const nextOffset = guard?.topicId === topicId ? guard.nextOffset : 0
  if (nextOffset >= startOffset) return undefined
  return (await index.acceptedStart(topicId)) >= startOffset ? undefined : nextOffset
}
