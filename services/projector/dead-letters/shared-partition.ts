import { deadlineIn, msUntil, pause } from '#async'
import { defaultRetryPolicy, withRetry } from '#domain'
import { type FencedLog, LogError, type LogRecord } from '#kafka'
import { endsTerm, TakeOverPace } from '#ownership'

/** The methods of a log that are used. */
export type SharedPartitionLog = Pick<FencedLog, 'topic' | 'partition' | 'takeOver' | 'append'>

interface SharedPartitionParts {
  /** `topic/partition`, for errors. */
  readonly name: string
  readonly openLog: (options: { readonly takeOverTimeoutMs: number }) => SharedPartitionLog
  /** Default: a pace on the clock of this process. */
  readonly newPace?: () => TakeOverPace
}

/** An append waits at most this time for the next take-over. A longer wait is left to the caller. */
const pauseMsMax = 1_000

/**
 * A partition to which several instances append. Each takes it over before its first append, and again after another
 * instance has taken it over, so each owns it for a short time behind the fence. Take-overs without an append are paced,
 * see {@link TakeOverPace}.
 */
export class SharedPartition {
  readonly #parts: SharedPartitionParts
  #pace: TakeOverPace
  #log: SharedPartitionLog | undefined
  /** The previous append: a log accepts one at a time. */
  #before: Promise<unknown> = Promise.resolve()

  constructor(parts: SharedPartitionParts) {
    this.#parts = parts
    this.#pace = this.#newPace()
  }

  /** @throws LogError if the append is not confirmed in time; the record may still be in the log. */
  append(record: LogRecord, timeoutMs: number): Promise<void> {
    const deadline = deadlineIn(timeoutMs)
    const attempt = (): Promise<void> => this.#try(record, deadline)
    const appended = this.#before.then(() => withRetry(defaultRetryPolicy, isOvertaken, attempt))
    this.#before = appended.catch(() => undefined)
    return appended
  }

  async #try(record: LogRecord, deadline: number): Promise<void> {
    this.#log ??= await this.#takeOver(deadline)
    try {
      await this.#log.append([record], this.#leftMs(deadline))
    } catch (error) {
      // A rejected record leaves the log usable, so no epoch is consumed. A topic that was created again needs a new log.
      if (endsTerm(error)) this.#log = undefined
      throw error
    }
    // The term has appended a record, so it does not count against the pace.
    this.#pace = this.#newPace()
  }

  #newPace(): TakeOverPace {
    return this.#parts.newPace?.() ?? new TakeOverPace()
  }

  async #takeOver(deadline: number): Promise<SharedPartitionLog> {
    const { waitMs } = this.#pace
    if (waitMs > Math.min(pauseMsMax, this.#leftMs(deadline))) throw this.#unavailable(pausing(waitMs))
    await pause(waitMs)
    const log = this.#parts.openLog({ takeOverTimeoutMs: this.#leftMs(deadline) })
    this.#pace.spend()
    await log.takeOver()
    return log
  }

  #leftMs(deadline: number): number {
    const leftMs = msUntil(deadline)
    if (leftMs > 0) return leftMs
    throw this.#unavailable('timed out in the queue; try again later')
  }

  #unavailable(why: string): LogError {
    return new LogError('unavailable', `append to ${this.#parts.name} ${why}`)
  }
}

const pausing = (waitMs: number): string =>
  `waits: take-overs of the partition failed repeatedly, the next one is in ${Math.ceil(waitMs / 1_000)} s`

/** Whether a new term may succeed: another owner has taken over, or the broker has lost this producer. */
const isOvertaken = (error: unknown): boolean =>
  error instanceof LogError && (error.outcome === 'fenced' || error.outcome === 'take-over')
