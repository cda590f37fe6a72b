export interface PartitionIndexOptions {
  readonly topic: string
  readonly partition: number
  /** The type of the aggregates whose events the topic holds. */
  readonly aggregateType: string
  /** How long a snapshot is kept after it was stored. */
  readonly snapshotTtlSeconds: number
  /** The ids of the events at the partition's last offsets, this many, are remembered. Up to 4,096 more may be. */
  readonly rememberedIdsMax: number
}
