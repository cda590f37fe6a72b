import type { PartitionDigest } from './record-digest.ts'

/**
 * The phase of a move. `copying`: events are copied to a second topic; nothing has been deleted. `staged`: the copy is complete and compared;
 * the old topic is deleted, and the new one is filled from the copy. `moved`: the new topic is complete and compared; leftovers are deleted.
 */
type MovePhase = 'copying' | 'staged' | 'moved'

/** The state of a move in progress. It is stored in Kafka, so that another run can resume the move. */
export interface MoveState {
  readonly phase: MovePhase
  readonly aggregateType: string
  /** Partitions before and after. */
  readonly from: number
  readonly to: number
  /** Kafka's id of the old topic. */
  readonly sourceTopicId: string
  readonly replication: number
  /** Settings of the old topic that differ from the defaults of the cluster. The new topic gets the same. */
  readonly settings: Readonly<Record<string, string>>
  readonly startedAtMs: number
  /** The end offsets of the partitions of the old topic when they were copied. */
  readonly sourceEnds?: readonly number[]
  /** The expected digests of the new partitions, by partition number. */
  readonly partitions?: readonly PartitionDigest[]
}
