import { ProduceAcks, Producer } from '@platformatic/kafka'

import { partitionFor } from '#domain'
import { type KafkaCluster, Topics } from '#kafka'

import { benchRecord } from './bench-record.ts'
import type { Contender } from './contender.ts'
import { GroupCommit } from './group-commit.ts'
import { inSync } from './in-sync.ts'

const topic = 'bench-producer'
const partitions = 8

/** The idempotent producer of the client library, used without Annals: the same records and batches, no checks. */
export async function startProducer(
  cluster: KafkaCluster,
  brokers: readonly string[],
  replication: number,
): Promise<Contender> {
  await new Topics(cluster).ensure([{ name: topic, partitions, replication, configs: inSync(replication) }])
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: [...brokers], idempotent: true })
  const lanes = Array.from(
    { length: partitions },
    (_, partition) =>
      new GroupCommit<string>((streams) =>
        producer.send({
          acks: ProduceAcks.ALL,
          messages: streams.map((stream) => {
            const { key, value, headers } = benchRecord(stream)
            return {
              topic,
              partition,
              key,
              value,
              headers: new Map(headers.map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
            }
          }),
        }),
      ),
  )
  return {
    append: (stream) =>
      lanes[partitionFor(stream, partitions)]?.add(stream) ??
      Promise.reject(new Error('there is no such partition')),
    close: () => producer.close(),
  }
}
