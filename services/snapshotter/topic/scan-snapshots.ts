import { type LogReader, snapshotTopic } from '#kafka'

import { snapshotHead, type SnapshotHead } from './snapshot-record.ts'

/**
 * The snapshots that count in one partition of a snapshot topic: of each stream the last one, as compaction would leave them.
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
      const head = snapshotHead(record)
      if (head === undefined) heads.delete(record.key.toString())
      else heads.set(head.streamId, head)
    }
  }
  return [...heads.values()]
}
