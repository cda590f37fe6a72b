import { partitionFor } from '#domain'
import type { KafkaCluster, LogReader } from '#kafka'

import { mergeByTime } from '../../merge-by-time.ts'
import { MoveError } from './move-error.ts'
import { type PartitionDigest, RecordDigest } from './record-digest.ts'
import { RecordAppender } from './record-appender.ts'

export interface CopyParts {
  readonly cluster: KafkaCluster
  readonly reader: LogReader
  /** Records that were read or written. */
  readonly advance: (records: number) => void
  readonly signal: AbortSignal
}

export interface CopyTarget {
  readonly topic: string
  readonly partitions: number
  /** What it takes as one batch. */
  readonly messageBytesMax: number
}

/**
 * Copies all partitions of a topic into another one, each record to the partition of its key. Streams keep their order, and partitions are filled by
 * time, as if they had been there from the beginning.
 * @param ends where to stop in each partition.
 * @returns what the new partitions are to hold. @throws LogError, and when the signal aborts.
 */
export async function copyByKey(
  source: string,
  ends: readonly number[],
  target: CopyTarget,
  { cluster, reader, advance, signal }: CopyParts,
): Promise<readonly PartitionDigest[]> {
  const numbers = Array.from({ length: target.partitions }, (_, partition) => partition)
  const appenders = await Promise.all(
    numbers.map((partition) => RecordAppender.open(cluster, target.topic, partition, target.messageBytesMax)),
  )
  const digests = numbers.map(() => new RecordDigest())
  try {
    const pieces = ends.map((until, partition) => reader.read(source, partition, { from: 0, until }))
    for await (const merged of mergeByTime(pieces)) {
      signal.throwIfAborted()
      for (const { record } of merged) {
        const partition = partitionFor(record.key.toString(), target.partitions)
        digests[partition]?.add(record)
        await appenders[partition]?.add(record)
      }
      advance(merged.length)
    }
    for (const appender of appenders) await appender.flush()
  } finally {
    for (const appender of appenders) appender.close()
  }
  return digests.map((digest) => digest.now())
}

/**
 * Copies one partition to the same one of another topic; goes on behind what is there already.
 * @throws MoveError where what is there is no copy; LogError, and when the signal aborts.
 */
export async function copyPartition(
  source: string,
  target: CopyTarget,
  partition: number,
  { cluster, reader, advance, signal }: CopyParts,
): Promise<void> {
  const present = await digestOf(target.topic, partition, reader, signal)
  const copied = new RecordDigest()
  const appender = await RecordAppender.open(cluster, target.topic, partition, target.messageBytesMax)
  try {
    for await (const records of reader.read(source, partition, { from: 0 })) {
      signal.throwIfAborted()
      for (const record of records) {
        if (copied.events >= present.events) await appender.add(record)
        copied.add(record)
        if (copied.events === present.events) checkPrefix(copied, present, target.topic, partition)
      }
      advance(records.length)
    }
    await appender.flush()
  } finally {
    appender.close()
  }
  if (copied.events < present.events) throw foreign(target.topic, partition)
}

function checkPrefix(copied: RecordDigest, present: PartitionDigest, topic: string, partition: number): void {
  if (copied.now().sha256 !== present.sha256) throw foreign(topic, partition)
}

const foreign = (topic: string, partition: number): MoveError =>
  new MoveError(
    'foreign-events',
    `partition ${partition} of ${topic} holds events that were not copied there: somebody has appended to it while it was being moved. ` +
      'Nothing more is deleted; the copy of all events from before is still there',
  )

/** What partitions hold now. @throws LogError, and when the signal aborts. */
export async function digestsOf(
  topic: string,
  partitions: number,
  { reader, advance, signal }: Omit<CopyParts, 'cluster'>,
): Promise<readonly PartitionDigest[]> {
  const digests: PartitionDigest[] = []
  for (let partition = 0; partition < partitions; partition++) {
    digests.push(await digestOf(topic, partition, reader, signal, advance))
  }
  return digests
}

/** What one partition holds now. @throws LogError, and when the signal aborts. */
export async function digestOf(
  topic: string,
  partition: number,
  reader: LogReader,
  signal: AbortSignal,
  advance?: (records: number) => void,
): Promise<PartitionDigest> {
  const digest = new RecordDigest()
  for await (const records of reader.read(topic, partition, { from: 0 })) {
    signal.throwIfAborted()
    for (const record of records) digest.add(record)
    advance?.(records.length)
  }
  return digest.now()
}
