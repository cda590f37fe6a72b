import type { WaitingPartition } from '#event-log'

/** One partition in the hands of this process, from `start` to `stop`. */
export interface OwnedPartition {
  /** Whether it does its work now. */
  readonly isServing: boolean
  /** The named state of a partition that an operator must act on: `log-replaced` or `events-deleted`. */
  readonly waiting: WaitingPartition | undefined
  start(): void
  /** Finishes the step in progress and ends. Never rejects. */
  stop(): Promise<void>
}
