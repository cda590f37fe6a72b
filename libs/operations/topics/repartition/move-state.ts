import type { PartitionDigest } from './record-digest.ts'

/**
 * How far a move is. `copying`: events are copied beside their topic, nothing has been deleted. `staged`: the copy is whole and compared; the
 * old topic goes, the new one is filled from the copy. `moved`: the new topic is whole and compared; what is left over goes.
 */
export type MovePhase = 'copying' | 'staged' | 'moved'

/** The state of a move under way. It is stored in Kafka, so that another run resumes the move. */
export interface MoveState {
  readonly phase: MovePhase
  readonly aggregateType: string
  /** Partitions before and after. */
  readonly from: number
  readonly to: number
  /** Kafka's id of the old topic. */
  readonly sourceTopicId: string
  readonly replication: number
  /** What the old topic has for settings of its own; the new one gets the same. */
  readonly settings: Readonly<Record<string, string>>
  readonly startedAtMs: number
  /** Where the old topic's partitions ended when they were copied. */
  readonly sourceEnds?: readonly number[]
  /** What the new partitions are to hold, by number. */
  readonly partitions?: readonly PartitionDigest[]
}
