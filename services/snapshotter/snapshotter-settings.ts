import type { Config } from '#config'

import type { SnapshotPartitionSettings } from './partition/partition-snapshotter.ts'
import type { SnapshotTopicSettings } from './snapshot-topics.ts'

/** Times in milliseconds, sizes in bytes, unless the name says otherwise. docs/configuration.md explains each. */
export interface SnapshotterSettings extends SnapshotPartitionSettings, SnapshotTopicSettings {
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly snapshotTtlSeconds: number
  readonly rememberedIdsMax: number
  /** Memory for states that all partitions fold. */
  readonly statesBytesMax: number
}

export const snapshotterSettings = ({
  snapshotter,
  writer,
  index,
  kafka,
}: Pick<Config, 'snapshotter' | 'writer' | 'index' | 'kafka'>): SnapshotterSettings => ({
  groupId: snapshotter.groupId,
  sessionTimeoutMs: snapshotter.sessionTimeoutMs,
  loadsMax: snapshotter.loadsMax,
  cleanupIntervalMs: snapshotter.cleanupIntervalMs,
  fenceRenewalMs: writer.fenceRenewalMs,
  snapshotTtlSeconds: Math.ceil(index.snapshotTtlMs / 1_000),
  rememberedIdsMax: index.rememberedIdsMax,
  statesBytesMax: snapshotter.statesBytesMax,
  replication: kafka.replication,
  minInsyncReplicas: kafka.minInsyncReplicas,
  messageBytesMax: kafka.messageBytesMax,
})
