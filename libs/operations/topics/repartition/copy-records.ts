import { partitionFor } from '#domain'
import type { KafkaCluster, LogReader } from '#kafka'

import { mergeByTime } from '../../merge-by-time.ts'
import { OperationError } from '../../operation-error.ts'
import { type PartitionDigest, RecordDigest } from './record-digest.ts'
import { RecordAppender } from './record-appender.ts'

export interface CopyParts {
  readonly cluster: KafkaCluster
  readonly reader: LogReader
  /** Receives the number of records read or written. */
  readonly advance: (records: number) => void
  readonly signal: AbortSignal
}

export interface CopyTarget {
  readonly topic: string
  readonly partitions: number
  /** The maximum size of a batch. */
  readonly messageBytesMax: number
}

/**
 * Copies all partitions of a topic to another one, each record to the partition of its key. Streams keep their order, and the records of
 * each new partition are ordered by time.
 * @param ends the end offset of each partition, exclusive.
 * @returns the expected digests of the new partitions. @throws LogError, and when the signal aborts.
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
 * Copies one partition to the same partition of another topic, and continues after the records that are already copied.
 * @throws OperationError if the target contains other records; LogError, and when the signal aborts.
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

const foreign = (topic: string, partition: number): OperationError =>
  new OperationError(
    'foreign-events',
    `partition ${partition} of ${topic} contains events that were not copied there: something appended to it during the move. ` +
      'Nothing more is deleted; the copy of all earlier events still exists',
  )

/** The current digests of partitions. @throws LogError, and when the signal aborts. */
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

/** The current digest of one partition. @throws LogError, and when the signal aborts. */
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
