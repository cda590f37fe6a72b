import type { PartitionIndex } from './partition-index.ts'

/**
 * The offset from which the index needs the log, if the log starts later and no operator has accepted that: the
 * partition cannot be served then. Undefined when it can.
 * @param topicId of the current topic. @param startOffset the first offset that its log still has.
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
