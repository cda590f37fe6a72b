import { pause } from '#async'
import { defaultRetryPolicy, withRetry } from '#domain'
import { type FencedLog, LogError, type LogRecord } from '#kafka'
import { TakeOverPace } from '#ownership'

/** What is needed of a log. */
export type SharedPartitionLog = Pick<FencedLog, 'topic' | 'partition' | 'takeOver' | 'append'>

interface SharedPartitionParts {
  /** `topic/partition`, for errors. */
  readonly name: string
  readonly openLog: (options: { readonly takeOverTimeoutMs: number }) => SharedPartitionLog
  /** Default: on the clock of this process. */
  readonly newPace?: () => TakeOverPace
}

/** A longer pause before the next take-over is the caller's to wait for. */
const pauseMsMax = 1_000

/**
 * A partition that several instances append to. Each takes it over when it first has something to write, and again when
 * another one has taken it over meanwhile: the fence keeps them apart, and each owns it for a short time. Take-overs
 * that lead to no append are paced, {@link TakeOverPace}.
 */
export class SharedPartition {
  readonly #parts: SharedPartitionParts
  #pace: TakeOverPace
  #log: SharedPartitionLog | undefined
  /** The append before: a log takes one at a time. */
  #before: Promise<unknown> = Promise.resolve()

  constructor(parts: SharedPartitionParts) {
    this.#parts = parts
    this.#pace = this.#newPace()
  }

  /** @throws LogError when the record is not known to be in the log in time; it may be there all the same. */
  append(record: LogRecord, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
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
      // A record that the topic will never take leaves the log as it was: no epoch is spent on it.
      if (endsTerm(error)) this.#log = undefined
      throw error
    }
    // Its term was worth its epoch.
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
    const leftMs = deadline - performance.now()
    if (leftMs > 0) return leftMs
    throw this.#unavailable('had no turn in time; try again later')
  }

  #unavailable(why: string): LogError {
    return new LogError('unavailable', `append to ${this.#parts.name} ${why}`)
  }
}

const pausing = (waitMs: number): string =>
  `waits: taking the partition over failed repeatedly, the next try is in ${Math.ceil(waitMs / 1_000)} s`

/** Whether another owner came between, or the broker lost track of this one: then a new term may succeed. */
const isOvertaken = (error: unknown): boolean =>
  error instanceof LogError && (error.outcome === 'fenced' || error.outcome === 'take-over')

/** Whether the log refuses further appends. */
const endsTerm = (error: unknown): boolean =>
  isOvertaken(error) || (error instanceof LogError && error.outcome === 'unknown')
