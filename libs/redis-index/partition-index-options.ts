export interface PartitionIndexOptions {
  readonly topic: string
  readonly partition: number
  /** The type of the aggregates whose events the topic holds. */
  readonly aggregateType: string
  /** Events a tail keeps at least, where the stream has them; up to twice as many for a while. */
  readonly tailEventsMax: number
  /** How long tails, snapshots and streams lately read stay after they were last written. */
  readonly tailTtlSeconds: number
  /** The ids of at least so many latest events of the partition are remembered; at most twice as many. */
  readonly rememberedIdsMax: number
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number
}
