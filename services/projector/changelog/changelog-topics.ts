import type { Config } from '#config'
import { type Projection, projectionTopic } from '#domain'
import { topicConfigs, type TopicSpec } from '#kafka'

const hourMs = 3_600_000

/** A new subscriber reads all records that compaction has left, so it must run often. It skips the active segment. */
const compaction = {
  'segment.ms': String(6 * hourMs),
  'segment.bytes': String(64 << 20),
  'min.cleanable.dirty.ratio': '0.2',
  // A subscriber that is disconnected for longer than this may miss a deleted view.
  'delete.retention.ms': String(7 * 24 * hourMs),
}

/** The settings of the topics. */
export type ChangelogTopicSettings = Pick<
  Config['kafka'],
  'partitions' | 'replication' | 'minInsyncReplicas' | 'messageBytesMax'
>

/** The topics `projections.<name>`. */
export const changelogTopics = (
  projections: readonly Pick<Projection, 'name'>[],
  { partitions, replication, minInsyncReplicas, messageBytesMax }: ChangelogTopicSettings,
): readonly TopicSpec[] =>
  projections.map(({ name }) => ({
    name: projectionTopic(name),
    partitions,
    replication,
    configs: {
      ...topicConfigs.compacted,
      ...compaction,
      'min.insync.replicas': String(minInsyncReplicas),
      'max.message.bytes': String(messageBytesMax),
    },
  }))
