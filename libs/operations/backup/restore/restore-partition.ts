import { type KafkaCluster, type LogReader } from '#kafka'

import { digestOf } from '../../topics/repartition/copy-records.ts'
import { RecordAppender } from '../../topics/repartition/record-appender.ts'
import { RecordDigest, sameDigests } from '../../topics/repartition/record-digest.ts'
import { BackupError } from '../backup-error.ts'
import { readRecords } from '../record-files.ts'
import type { RestoreTopic } from './plan-restore.ts'
import { type SchemaIds, withRestoredId } from './restore-schemas.ts'

interface PartitionRestore {
  readonly cluster: KafkaCluster
  readonly reader: LogReader
  readonly ids: SchemaIds
  /** Receives the number of records written (or found written), and again when they are compared. */
  readonly advance: (records: number) => void
}

const messageBytesDefault = 1_048_588

/**
 * Writes the records of a partition after those that an interrupted restore wrote, and compares all of them.
 * @throws BackupError `not-empty` if the partition holds other records, `copy-differs`, `damaged`; LogError; when the signal aborts.
 */
export async function restorePartition(
  { name, settings, files }: RestoreTopic,
  partition: number,
  { cluster, reader, ids, advance }: PartitionRestore,
  signal: AbortSignal,
): Promise<void> {
  const messageBytesMax = Number(settings['max.message.bytes'] ?? messageBytesDefault)
  // The fence comes first: after it no other producer can change what is read next.
  const appender = await RecordAppender.open(cluster, name, partition, messageBytesMax)
  const written = new RecordDigest()
  try {
    const present = await digestOf(name, partition, reader, signal)
    for (const { folder, file } of files[partition] ?? []) {
      for await (const records of readRecords(folder, file)) {
        signal.throwIfAborted()
        for (const stored of records) {
          const record = withRestoredId(stored, ids)
          if (written.events >= present.events) await appender.add(record)
          written.add(record)
          if (written.events === present.events && !sameDigests([written.now()], [present]))
            throw foreign(name, partition)
        }
        advance(records.length)
      }
    }
    if (written.events < present.events) throw foreign(name, partition)
    await appender.flush()
  } finally {
    appender.close()
  }
  const restored = await digestOf(name, partition, reader, signal, advance)
  if (!sameDigests([written.now()], [restored])) throw differs(name, partition)
}

const foreign = (topic: string, partition: number): BackupError =>
  new BackupError(
    'not-empty',
    `partition ${partition} of ${topic} contains events that are not from this backup: something appended to it during the restore. ` +
      'Delete the topic and its restore-journal, and restore again',
  )

const differs = (topic: string, partition: number): BackupError =>
  new BackupError(
    'copy-differs',
    `partition ${partition} of ${topic} does not contain what was written to it: restore it again. If that fails too, report it`,
  )
