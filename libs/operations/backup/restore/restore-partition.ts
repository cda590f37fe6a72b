import { type KafkaCluster, type LogReader } from '#kafka'

import { digestOf } from '../../topics/repartition/copy-records.ts'
import { RecordAppender } from '../../topics/repartition/record-appender.ts'
import { RecordDigest, sameDigests } from '../../topics/repartition/record-digest.ts'
import { BackupError } from '../backup-error.ts'
import { readRecords } from '../record-files.ts'
import type { RestoreTopic } from './plan-restore.ts'
import { type SchemaIds, withRestoredId } from './restore-schemas.ts'

export interface PartitionRestore {
  readonly cluster: KafkaCluster
  readonly reader: LogReader
  readonly ids: SchemaIds
  /** Records that were written, or found written, and then compared: each twice. */
  readonly advance: (records: number) => void
}

const messageBytesDefault = 1_048_588

/**
 * Writes what a partition had, behind what is there of it already, and compares all of it.
 * @throws BackupError `not-empty` where something else is there, `copy-differs`, `damaged`; LogError; when the signal aborts.
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
    `partition ${partition} of ${topic} holds events that are not from this backup: somebody has appended to it while it was being restored. ` +
      'Delete the topic and its restore-journal, and restore anew',
  )

const differs = (topic: string, partition: number): BackupError =>
  new BackupError(
    'copy-differs',
    `what partition ${partition} of ${topic} holds is not what was written to it: restore it again. If it stays so, report it`,
  )
