import { newEventId, parseVersion, type StreamId } from '#domain'
import { partitionFor } from '#event-store'
import { FencedLog, type KafkaCluster, type LogRecord, toLogRecord, Topics } from '#kafka'

import { appended } from '../domain/domain.ts'
import type { Contender } from './contender.ts'

const topic = 'bench-limit'
const partitions = 8
const batchMax = 1_000

const fixedId = newEventId()
const fixedTime = new Date().toISOString()
const firstVersion = parseVersion(1)

interface Waiting {
  readonly record: LogRecord
  readonly answer: PromiseWithResolvers<unknown>
}

/**
 * The limit: plain idempotent batches of what waits, one in flight for each partition, with records of the same size as the
 * writer's, but without any check: no versions, no remembered ids, no Redis, no schema.
 */
export async function startLimit(cluster: KafkaCluster): Promise<Contender> {
  await new Topics(cluster).ensure([{ name: topic, partitions, replication: 1, configs: {} }])
  const lanes = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => openLane(cluster, partition)),
  )
  const value = Buffer.from(appended.data.payload)
  return {
    append: (stream) => {
      const lane = lanes[partitionFor(stream, partitions)]
      if (lane === undefined) throw new Error('there is no such partition')
      return lane.append(recordOf(stream, value))
    },
    close: () => {
      for (const lane of lanes) lane.close()
      return Promise.resolve()
    },
  }
}

/** The record that the writer would make, so that batches have the same sizes. */
const recordOf = (stream: string, value: Buffer): LogRecord =>
  toLogRecord({
    id: fixedId,
    streamId: stream as StreamId,
    type: appended.type,
    version: firstVersion,
    timestamp: fixedTime,
    metadata: {},
    value,
  })

async function openLane(cluster: KafkaCluster, partition: number) {
  const log = new FencedLog(cluster, topic, partition)
  await log.takeOver()
  const queue: Waiting[] = []
  let sending = false
  const send = async () => {
    sending = true
    while (queue.length > 0) {
      const batch = queue.splice(0, batchMax)
      await log.append(batch.map(({ record }) => record))
      for (const { answer } of batch) answer.resolve(undefined)
    }
    sending = false
  }
  return {
    append: (record: LogRecord): Promise<unknown> => {
      const answer = Promise.withResolvers<unknown>()
      queue.push({ record, answer })
      if (!sending) void send()
      return answer.promise
    },
    close: () => log.close(),
  }
}
