import pino from 'pino'
import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'

import { deadlineIn } from '#async'
import { aggregateTypeOfTopic, eventTopic, type ExpectedVersion, newEventId, streamIdOf } from '#domain'
import { FencedLog, KafkaCluster, LogReader, Topics } from '#kafka'

import { MemoryBudget } from '../../../services/writer/memory/memory-budget.ts'
import { RecentStreams } from '../../../services/writer/memory/recent-streams.ts'
import { IndexCatchUp } from '../../../services/writer/partition/index-catch-up.ts'
import { PartitionWriter } from '../../../services/writer/partition/partition-writer.ts'
import { PendingAppend } from '../../../services/writer/partition/pending-append.ts'
import { WriterMetrics } from '../../../services/writer/writer-metrics.ts'
import { indexOf, openRedis } from '../../support/index/redis-index.ts'
import { testStack, uniqueName, waitFor } from '../../support/stack/stack.ts'

const settings = { eventsMax: 100, bytesMax: 100_000, queueEventsMax: 100, fenceRenewalMs: 3_600_000 }

/** One partition, and writers of it that know nothing of each other: no group moves the partition. */
async function partitionOfWriters() {
  const cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'former-owner' })
  onTestFinished(() => cluster.close())
  const topic = eventTopic(uniqueName('former'))
  await new Topics(cluster).ensure([{ name: topic, partitions: 1, replication: 1, configs: {} }])
  const redis = await openRedis(testStack().redisUrl)
  const index = indexOf(redis, { topic, partition: 0 })
  const startWriter = async (): Promise<PartitionWriter> => {
    const parts = { topic, partition: 0, index, cluster, settings, logger: pino({ level: 'silent' }) }
    const catchUp = new IndexCatchUp({
      ...parts,
      reader: new LogReader(cluster),
      onProgress: () => undefined,
      onForeign: () => undefined,
    })
    const writer = new PartitionWriter({
      ...parts,
      catchUp,
      openLog: () => new FencedLog(cluster, topic, 0),
      memory: { streams: new RecentStreams(1 << 20), ids: new MemoryBudget(1 << 20) },
      metrics: new WriterMetrics(new Registry(), () => 0),
    })
    writer.start()
    onTestFinished(() => writer.stop())
    await waitFor('the writer to serve', () => Promise.resolve(writer.isServing))
    return writer
  }
  const streamId = streamIdOf(aggregateTypeOfTopic(topic), 'hot')
  const append = (writer: PartitionWriter, expectedVersion: ExpectedVersion) => {
    const event = { id: newEventId(), type: 'Happened', metadata: {}, value: Buffer.alloc(5) }
    return writer.append(new PendingAppend(streamId, expectedVersion, [event], deadlineIn(10_000)))
  }
  return { startWriter, append, streamId }
}

/** A former owner that has the stream at version 1 in memory, while it is at version 2 elsewhere. */
async function formerOwner() {
  const { startWriter, append, streamId } = await partitionOfWriters()
  const former = await startWriter()
  expect(await append(former, 'no-stream')).toMatchObject({ lastVersion: 1 })
  const current = await startWriter()
  const { lastVersion } = await append(current, 'stream-exists')
  expect(lastVersion).toBe(2)
  expect(former.isServing).toBe(true)
  return { former, append, streamId, lastVersion }
}

test('a former owner that knows of no other answers no read from its memory', async () => {
  const { former, streamId } = await formerOwner()
  await expect(former.recall(streamId, deadlineIn(1_000))).rejects.toMatchObject({ code: 'not-owner' })
})

test('a former owner that knows of no other rejects no append by its memory', async () => {
  const { former, append, lastVersion } = await formerOwner()
  const code = await append(former, lastVersion).then(
    () => 'appended',
    (error: unknown) => (error as { code?: string }).code,
  )
  // It takes over again after a while, and then has the version of the log.
  expect(code).not.toBe('wrong-expected-version')
})
