import { randomUUID } from 'node:crypto'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'

import kafkajs, { type Consumer, Kafka, logLevel } from 'kafkajs'

import { until } from '../../../../../scripts/stack/index.ts'

// Topics of snapshots are compressed by their brokers; kafkajs leaves this codec to whoever needs it.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: { readonly buffer: Buffer }) => Promise.resolve(zstdCompressSync(buffer)),
  decompress: (buffer: Buffer) => Promise.resolve(zstdDecompressSync(buffer)),
})

/** A record as any consumer gets it. */
export interface PlainRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

const consumeMsMax = 120_000
const askMsMax = 30_000

/**
 * All records of the topics up to where they end now, in the order of each partition: what an ordinary consumer of the cluster
 * reads, from the beginning.
 * @throws Error when the end does not come within two minutes.
 */
export async function consumeAll(
  brokers: readonly string[],
  topics: readonly string[],
): Promise<PlainRecord[]> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'fault-checker', logLevel: logLevel.NOTHING })
  const left = await openPartitions(kafka, topics)
  const groupId = `fault-checker-${randomUUID()}`
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    return await consumeUntil(consumer, left)
  } finally {
    await consumer.disconnect()
  }
}

/** The last offset of each partition that holds anything, by topic and number. */
async function openPartitions(kafka: Kafka, topics: readonly string[]): Promise<Map<string, number>> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const ends: (readonly [string, number])[] = []
    // One after the other: kafkajs mixes up the metadata of topics that are asked for at once, and finds some without partitions.
    for (const topic of topics) {
      const offsets = await until(`the ends of ${topic}`, askMsMax, () => admin.fetchTopicOffsets(topic))
      ends.push(...offsets.map(({ partition, high }) => [`${topic}/${partition}`, Number(high) - 1] as const))
    }
    return new Map(ends.filter(([, last]) => last >= 0))
  } finally {
    await admin.disconnect()
  }
}

async function consumeUntil(consumer: Consumer, left: Map<string, number>): Promise<PlainRecord[]> {
  const records: PlainRecord[] = []
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const endIfDone = () => {
    if (left.size === 0) resolve(undefined)
  }
  // Told of batches that hold nothing but a marker, too: a partition may end with one.
  consumer.on('consumer.end_batch_process', ({ payload: { topic, partition, lastOffset } }) => {
    const name = `${topic}/${partition}`
    if (Number(lastOffset) >= (left.get(name) ?? Infinity)) left.delete(name)
    endIfDone()
  })
  consumer.on('consumer.crash', ({ payload: { error } }) => reject(error))
  const timer = setTimeout(
    () => reject(new Error(`the log could not be read to its end: ${[...left.keys()].join(', ')} are left`)),
    consumeMsMax,
  )
  endIfDone()
  await consumer.run({
    eachBatch: ({ batch: { topic, partition, messages } }) => {
      for (const { offset, key, value, headers } of messages) {
        const texts = Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)] as const)
        records.push({
          topic,
          partition,
          offset: Number(offset),
          key: String(key),
          value,
          headers: Object.fromEntries(texts),
        })
      }
      return Promise.resolve()
    },
  })
  await promise.finally(() => clearTimeout(timer))
  return uniqueInOrder(records)
}

/** A rebalance may make a consumer read records again: the offset tells. */
function uniqueInOrder(records: readonly PlainRecord[]): PlainRecord[] {
  const byPlace = new Map(
    records.map((record) => [`${record.topic}/${record.partition}/${record.offset}`, record]),
  )
  return [...byPlace.values()].sort(
    (one, other) =>
      (one.topic < other.topic ? -1 : Number(one.topic > other.topic)) ||
      one.partition - other.partition ||
      one.offset - other.offset,
  )
}
