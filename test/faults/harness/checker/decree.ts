import type { Operation, Remains } from '../history.ts'

/** What was taken away on purpose, so that nobody is blamed for it. */
export interface Decrees {
  readonly recreated: readonly RecreatedTopic[]
  readonly shortened: readonly ShortenedPartition[]
}

/** A topic of events that was deleted and created again. Times are of the clock of the history. */
export interface RecreatedTopic {
  readonly type: string
  /** When no broker had it any more: what is acknowledged to calls after that is in the new log. */
  readonly goneAtMs: number
  /** When all services had started again: from then on answers are of the new log. */
  readonly servedAtMs: number
}

/** A partition whose first events were deleted, whose index was lost, and whose loss an operator has accepted. */
export interface ShortenedPartition {
  readonly topic: string
  readonly partition: number
  readonly partitions: number
  readonly startOffset: number
}

/** A history and what is left, as they are judged. */
export interface Judged {
  readonly history: readonly Operation[]
  readonly remains: Remains
}
