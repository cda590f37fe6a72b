export interface PartitionIndexOptions {
  readonly topic: string
  readonly partition: number
  /** The type of the aggregates whose events the topic holds. */
  readonly aggregateType: string
  /** A tail keeps at least this many of the stream's last events, and temporarily up to twice as many. */
  readonly tailEventsMax: number
  /** How long tails, snapshots and recently read streams are kept after their last write. */
  readonly tailTtlSeconds: number
  /** The ids of at least this many of the partition's latest events are remembered, at most of twice as many. */
  readonly rememberedIdsMax: number
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number
}
