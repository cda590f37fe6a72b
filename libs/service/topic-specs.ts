import type { Config } from '#config'
import { eventTopic, snapshotTopic } from '#domain'
import { topicConfigs, type TopicSpec } from '#kafka'

type TopicSettings = Pick<Config['kafka'], 'replication' | 'minInsyncReplicas' | 'messageBytesMax'>

const limits = ({ minInsyncReplicas, messageBytesMax }: TopicSettings) => ({
  'min.insync.replicas': String(minInsyncReplicas),
  'max.message.bytes': String(messageBytesMax),
})

/** How many partitions the topics of an aggregate type have, according to the configuration. */
export function partitionsOf(
  aggregateType: string,
  { partitions, partitionsByType }: Pick<Config['kafka'], 'partitions' | 'partitionsByType'>,
): number {
  const own = partitionsByType.map((text) => text.split('=')).find(([type]) => type === aggregateType)
  return own === undefined ? partitions : Number(own[1])
}

/** The topic of an aggregate type's events. */
export const eventTopicSpec = (aggregateType: string, kafka: Config['kafka']): TopicSpec => ({
  name: eventTopic(aggregateType),
  partitions: partitionsOf(aggregateType, kafka),
  replication: kafka.replication,
  configs: { ...topicConfigs.events, ...limits(kafka) },
})

/**
 * The topic of an aggregate type's snapshots. The broker compresses it.
 * @param partitions the number of the event topic's partitions: a snapshot is in the same partition as its stream
 */
export const snapshotTopicSpec = (
  aggregateType: string,
  partitions: number,
  kafka: TopicSettings,
): TopicSpec => ({
  name: snapshotTopic(aggregateType),
  partitions,
  replication: kafka.replication,
  configs: { ...topicConfigs.compacted, 'compression.type': 'zstd', ...limits(kafka) },
})
