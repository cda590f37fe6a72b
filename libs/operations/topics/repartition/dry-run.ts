import type { Config } from '#config'
import { LogReader, Topics } from '#kafka'
import { eventTopic, partitionFor } from '#domain'
import type { Connections } from '#service'

import { type GroupAtWork, groupsAtWork } from './idle-groups.ts'
import { planMove } from './repartition.ts'

/** The plan of a move. */
export interface MovePlan {
  readonly topic: string
  readonly from: number
  readonly to: number
  readonly events: number
  /** Number of events of each new partition, by partition number. */
  readonly perPartition: readonly number[]
  /** The approximate size of the temporary copy on the disks of all brokers. */
  readonly bytes: number
  /** The services to stop first. */
  readonly atWork: readonly GroupAtWork[]
}

interface PlanOptions {
  readonly aggregateType: string
  readonly partitions: number
  /** Receives the number of records read. */
  readonly advance: (records: number) => void
  readonly signal: AbortSignal
}

/** Reads all keys of a topic, and changes nothing. @throws OperationError if it cannot be moved; LogError, and when the signal aborts. */
export async function planOnly(
  { cluster }: Pick<Connections, 'cluster'>,
  config: Config,
  { aggregateType, partitions, advance, signal }: PlanOptions,
): Promise<MovePlan> {
  const topics = new Topics(cluster)
  const reader = new LogReader(cluster)
  const { from, to } = await planMove(topics, reader, aggregateType, partitions)
  const topic = eventTopic(aggregateType)
  const perPartition = Array.from({ length: to }, () => 0)
  for (let partition = 0; partition < from; partition++) {
    for await (const records of reader.read(topic, partition, { from: 0 })) {
      signal.throwIfAborted()
      for (const { key } of records) {
        const target = partitionFor(key.toString(), to)
        perPartition[target] = (perPartition[target] ?? 0) + 1
      }
      advance(records.length)
    }
  }
  const bytes = await topics.bytes([{ name: topic, partitions: from }])
  return {
    ...{ topic, from, to, perPartition },
    events: perPartition.reduce((sum, count) => sum + count, 0),
    bytes: bytes.get(topic) ?? 0,
    atWork: await groupsAtWork(cluster, config),
  }
}
