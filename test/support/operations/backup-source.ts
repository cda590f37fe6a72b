import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import { eventTopic, type StreamId } from '#domain'
import { FencedLog, KafkaCluster, LogReader, type StoredRecord, Topics } from '#kafka'

import { testClient } from '../services/closing.ts'
import { openHands } from '../append/past-the-writer.ts'
import type { Installation } from '../services/real-writer.ts'
import { freshStream, purchase, runningWriter, testInstallation } from '../services/writer-fixture.ts'

export const partitions = 3

/** A folder that is removed at the end of the test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'annals-backup-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Appends to some streams through a real writer that is gone afterwards. */
export async function appendSome(where: Installation, streams: readonly StreamId[], each = 5): Promise<void> {
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const metadata = { correlationId: 'c-1', userId: 'ann' }
  const events = () => Array.from({ length: each }, (_, index) => purchase(index + 1, { metadata }))
  await Promise.all(streams.map((streamId) => client.append(streamId, events())))
  await client.close()
  await writer.close()
}

export const freshStreams = (type: string, count: number): StreamId[] =>
  Array.from({ length: count }, () => freshStream(type))

/** An installation with events in all partitions and no running service. */
export async function filledInstallation(streams = 20): Promise<Installation> {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: String(partitions) })
  await appendSome(where, freshStreams(where.type, streams))
  return where
}

/** One with so many bytes that work on them can be interrupted: records that are no events. */
export async function heavyInstallation(recordsEach = 5_000): Promise<Installation> {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: String(partitions) })
  const { cluster } = await openHands(where)
  for (let partition = 0; partition < partitions; partition++) {
    const log = new FencedLog(cluster, eventTopic(where.type), partition)
    await log.takeOver()
    for (let done = 0; done < recordsEach; done += 200) await log.append(heavyRecords(200, done))
    log.close()
  }
  return where
}

const heavyRecords = (count: number, from: number) =>
  Array.from({ length: count }, (_, index) => ({
    key: Buffer.from(`heavy-${from + index}`),
    value: Buffer.concat([Buffer.of(1), randomBytes(3_000)]),
    headers: [],
    timestampMs: 1_700_000_000_000 + from + index,
  }))

/** All records of a topic by partition, as they are in the log. */
export async function recordsOf(
  { env, type }: Installation,
  topicName = eventTopic(type),
): Promise<readonly (readonly StoredRecord[])[]> {
  const brokers = (env['ANNALS_KAFKA_BROKERS'] ?? '').split(',')
  const cluster = await KafkaCluster.connect({ brokers, clientId: 'backup-test' })
  try {
    const [topic] = await new Topics(cluster).describe([topicName])
    const reader = new LogReader(cluster)
    return await Promise.all(
      Array.from({ length: topic?.partitions ?? 0 }, async (_, partition) =>
        (await Array.fromAsync(reader.read(topicName, partition, { from: 0 }))).flat(),
      ),
    )
  } finally {
    await cluster.close()
  }
}

/** What a restore must not change. */
export const contentOf = (records: readonly (readonly StoredRecord[])[]) =>
  records.map((own) =>
    own.map(({ key, headers, timestampMs, value }) => ({
      ...{ key: key.toString(), timestampMs },
      headers: headers.map(([name, content]) => [name, content.toString()]),
      // Without the schema's id, which the registry gives.
      body: value && createHash('sha256').update(value.subarray(5)).digest('hex'),
    })),
  )

/** Names of the backups in a folder. */
export const backupsIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /-(full|incremental)$/.test(name))
    .sort()

/** Files of records in a backup. */
export const filesIn = (folder: string, backup: string): string[] =>
  readdirSync(join(folder, backup), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.gz'))
    .sort()
    .map((name) => join(folder, backup, name))
