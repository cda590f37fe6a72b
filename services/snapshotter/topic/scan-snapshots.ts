import { InvalidInputError, snapshotTopic } from '#domain'
import { type LogReader, type StoredRecord } from '#kafka'

import { snapshotHead, type SnapshotHead } from './snapshot-record.ts'

/**
 * The last snapshot of each stream in one partition of a snapshot topic, as compaction would keep them. Foreign records
 * are skipped.
 * @throws LogError `unavailable`
 */
export async function scanSnapshots(
  reader: LogReader,
  aggregateType: string,
  partition: number,
): Promise<SnapshotHead[]> {
  const topic = snapshotTopic(aggregateType)
  const heads = new Map<string, SnapshotHead>()
  const from = await reader.startOffset(topic, partition)
  for await (const records of reader.read(topic, partition, { from })) {
    for (const record of records) {
      const head = headOf(record)
      if (head === undefined) heads.delete(record.key.toString())
      else heads.set(head.streamId, head)
    }
  }
  return [...heads.values()]
}

function headOf(record: StoredRecord): SnapshotHead | undefined {
  try {
    return snapshotHead(record)
  } catch (error) {
    if (error instanceof InvalidInputError) return undefined
    throw error
  }
}
