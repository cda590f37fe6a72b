import { randomUUID } from 'node:crypto'

import { Kafka, logLevel } from 'kafkajs'

import { eventTopic } from '#domain'
import { EventFormat } from '#event-log'
import { LogReader } from '#kafka'

import type { RunningWriter } from './contenders/core.ts'
import { measureProgress, type ProgressRate } from './project-progress.ts'

const topic = eventTopic('customer')

/** A plain kafkajs consumer that does nothing with its messages: the limit. */
export async function readByKafkajs({ config }: RunningWriter, total: number): Promise<ProgressRate> {
  const kafka = new Kafka({ brokers: [...config.kafka.brokers], logLevel: logLevel.ERROR })
  const consumer = kafka.consumer({ groupId: `bench-${randomUUID()}` })
  await consumer.connect()
  try {
    let read = 0
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachBatch: ({ batch }) => {
        read += batch.messages.length
        return Promise.resolve()
      },
    })
    return await measureProgress(total, () => read)
  } finally {
    await consumer.disconnect()
  }
}

/** Our own reader on all partitions concurrently, with each event decoded: the input of a projector. */
export async function readByLogReader(
  { backends, config }: RunningWriter,
  total: number,
): Promise<ProgressRate> {
  const reader = new LogReader(backends.cluster)
  const format = new EventFormat(backends.codec)
  const done = new AbortController()
  let read = 0
  const follow = async (partition: number) => {
    for await (const { records } of reader.follow(topic, partition, 0, done.signal)) {
      read += (await format.decodeEach(topic, partition, records)).length
    }
  }
  const following = Array.from({ length: config.kafka.partitions }, (_, partition) => follow(partition))
  try {
    return await measureProgress(total, () => read)
  } finally {
    done.abort()
    await Promise.all(following)
  }
}
