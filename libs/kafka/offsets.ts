import { listOffsetsV7 } from '@platformatic/kafka'

import { partitionKey } from '#domain'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'

const client = -1
const readUncommitted = 0
/** Kafka's special timestamps. */
const latest = -1n
const earliest = -2n
const offsetsLane = 'offsets'

function listOffset(
  cluster: KafkaCluster,
  topic: string,
  partition: number,
  timestamp: bigint,
  deadline: number,
): Promise<number> {
  const what = `asking for offsets of ${partitionKey({ topic, partition })}`
  const asked = { partitionIndex: partition, currentLeaderEpoch: -1, timestamp }
  return untilAnswered({ what, deadline, changes: false }, () =>
    cluster.onLeader(topic, partition, offsetsLane, async ({ connection }) => {
      const request = [{ name: topic, partitions: [asked] }]
      const { topics } = await listOffsetsV7.api.async(connection, client, readUncommitted, request)
      return Number(topics[0]?.partitions[0]?.offset ?? -1)
    }),
  )
}

/** The offset after the last record that all in-sync replicas have. @throws LogError `unavailable` */
export const highWatermark = (
  cluster: KafkaCluster,
  topic: string,
  partition: number,
  deadline: number,
): Promise<number> => listOffset(cluster, topic, partition, latest, deadline)

/** The offset of the first record that has not been deleted. @throws LogError `unavailable` */
export const logStart = (
  cluster: KafkaCluster,
  topic: string,
  partition: number,
  deadline: number,
): Promise<number> => listOffset(cluster, topic, partition, earliest, deadline)

/** The offset of the first record not before this time (ms since 1970); undefined if all are before. @throws LogError `unavailable` */
export async function firstOffsetSince(
  cluster: KafkaCluster,
  topic: string,
  partition: number,
  timestampMs: number,
  deadline: number,
): Promise<number | undefined> {
  const offset = await listOffset(cluster, topic, partition, BigInt(timestampMs), deadline)
  return offset < 0 ? undefined : offset
}
