import { type KafkaCluster, LogError, LogReader, topicConfigs, type TopicDescription, Topics } from '#kafka'

import { AccessEntries } from './access-entries.ts'

/** The topic of access, and how it is created if it is missing. */
export interface AccessTopicSettings {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly replication: number
  readonly minInsyncReplicas: number
}

/** One partition, so that all entries have one order. */
export const partition = 0

const weekMs = 7 * 86_400_000

/** Creates the topic if it is missing. @throws LogError `refused` if that is not authorized, or it has more than one partition; `unavailable` */
export async function ensureAccessTopic(
  { cluster, topic, replication, minInsyncReplicas }: AccessTopicSettings,
  timeoutMs?: number,
): Promise<TopicDescription> {
  const configs = {
    ...topicConfigs.compacted,
    'min.insync.replicas': String(minInsyncReplicas),
    // A reader that Kafka was away from must still find removals. Readers that were away for longer read everything again.
    'delete.retention.ms': String(weekMs),
  }
  const [made] = await new Topics(cluster, timeoutMs).ensure([
    { name: topic, partitions: 1, replication, configs },
  ])
  return made as TopicDescription
}

/** The topic, unless it does not exist. @throws LogError */
export async function describeAccessTopic(
  { cluster, topic }: Pick<AccessTopicSettings, 'cluster' | 'topic'>,
  timeoutMs?: number,
): Promise<TopicDescription | undefined> {
  return (await new Topics(cluster, timeoutMs).describe([topic]))[0]
}

/** Entries of the topic, up to an offset. */
export interface ReadEntries {
  readonly entries: AccessEntries
  readonly nextOffset: number
}

/** Reads on from an earlier read, or from the start. @param until exclusive; default the end of the topic. @throws LogError */
export async function readEntries(
  { cluster, topic }: Pick<AccessTopicSettings, 'cluster' | 'topic'>,
  before?: ReadEntries,
  until?: number,
): Promise<ReadEntries> {
  const reader = new LogReader(cluster)
  const { entries, nextOffset: from } = before ?? {
    entries: new AccessEntries(),
    nextOffset: await reader.startOffset(topic, partition),
  }
  const end = until ?? (await reader.endOffset(topic, partition))
  for await (const records of reader.read(topic, partition, { from, until: end })) {
    entries.apply(records)
  }
  entries.settle()
  return { entries, nextOffset: end }
}

export const isLogError = (error: unknown, ...outcomes: readonly LogError['outcome'][]): boolean =>
  error instanceof LogError && outcomes.includes(error.outcome)
