import type { WaitingPartition } from '#event-log'

/** A partition that this process owns, from `start` to `stop`. */
export interface OwnedPartition {
  /** Whether the partition is served now. */
  readonly isServing: boolean
  /** Set while the partition waits for an operator, with its state: `log-replaced` or `events-deleted`. */
  readonly waiting: WaitingPartition | undefined
  start(): void
  /** Finishes the step in progress and ends. Never rejects. */
  stop(): Promise<void>
}
