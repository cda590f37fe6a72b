import { partitionFor } from '#domain'
import { FencedLog, type KafkaCluster, type LogRecord, Topics } from '#kafka'

import { benchRecord } from './bench-record.ts'
import type { Contender } from './contender.ts'
import { GroupCommit } from './group-commit.ts'
import { inSync } from './in-sync.ts'

const topic = 'bench-limit'
const partitions = 8

/**
 * The limit: plain idempotent batches in the fastest available way, with records of the same size as the writer's but
 * without any check: no versions, no remembered ids, no Redis, no schema.
 */
export async function startLimit(cluster: KafkaCluster, replication: number): Promise<Contender> {
  await new Topics(cluster).ensure([{ name: topic, partitions, replication, configs: inSync(replication) }])
  const logs = Array.from({ length: partitions }, (_, partition) => new FencedLog(cluster, topic, partition))
  await Promise.all(logs.map((log) => log.takeOver()))
  const lanes = logs.map((log) => new GroupCommit<LogRecord>((batch) => log.append(batch)))
  return {
    append: (stream) => {
      const lane = lanes[partitionFor(stream, partitions)]
      return lane?.add(benchRecord(stream)) ?? Promise.reject(new Error('there is no such partition'))
    },
    close: () => {
      for (const log of logs) log.close()
      return Promise.resolve()
    },
  }
}
