import type { Operation, Remains } from '../history.ts'

/** What faults removed on purpose, so that its absence is not a violation. */
export interface Decrees {
  readonly recreated: readonly RecreatedTopic[]
  readonly shortened: readonly ShortenedPartition[]
}

/** An event topic that was deleted and created again. Times are from the clock of the history. */
export interface RecreatedTopic {
  readonly type: string
  /** When no broker had the old topic any more: calls after that are acknowledged by the new log. */
  readonly goneAtMs: number
  /** When all services had restarted: responses after that are from the new log. */
  readonly servedAtMs: number
}

/** A partition whose first events were deleted, whose index was lost, and whose loss an operator has accepted. */
export interface ShortenedPartition {
  readonly topic: string
  readonly partition: number
  readonly partitions: number
  readonly startOffset: number
  /** When they were deleted, on the clock of the history. A log that is created later has all of its events. */
  readonly atMs: number
}

/** A history and the remaining state, as they are judged. */
export interface Judged {
  readonly history: readonly Operation[]
  readonly remains: Remains
}
