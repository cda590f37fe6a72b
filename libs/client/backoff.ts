import { Backoff, deadlineIn, fullJitter, pause } from '#async'
import { EventStoreError } from '#event-store'

/** How often and how long one call is tried. */
export interface RetryLimits {
  /** Tries in all, the first included. Default 25. */
  readonly triesMax: number
  /** No further try begins later than this after the first failure. Default 30,000: a dead writer's partitions are served again in under 15 s. */
  readonly totalMsMax: number
  /** Upper end of the first delay; doubles with each further one. Default 20. */
  readonly delayMsMin: number
  /** No delay is longer, unless the server asks for it. Default 2,000. */
  readonly delayMsMax: number
}

export const defaultRetryLimits: RetryLimits = {
  triesMax: 25,
  totalMsMax: 30_000,
  delayMsMin: 20,
  delayMsMax: 2_000,
}

/**
 * Counts the failures of one undertaking, and waits between its tries: exponential backoff with full jitter, never shorter
 * than the server asked for (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export class RetryBudget {
  readonly #limits: RetryLimits
  readonly #backoff: Backoff
  #failures = 0
  #deadlineMs = Infinity

  constructor(limits: RetryLimits) {
    this.#limits = limits
    this.#backoff = new Backoff(limits, fullJitter)
  }

  /** Something went well: what failed before counts no more. */
  reset(): void {
    this.#failures = 0
    this.#backoff.reset()
    this.#deadlineMs = Infinity
  }

  /** Waits before the next try. @throws the error itself where a further try would be wrong, or beyond the limits. */
  async afterFailure(error: unknown, signal?: AbortSignal): Promise<void> {
    if (!isTransient(error)) throw error
    const nowMs = performance.now()
    this.#failures += 1
    if (this.#failures === 1) this.#deadlineMs = deadlineIn(this.#limits.totalMsMax)
    const delayMs = Math.max(this.#backoff.nextMs(), 1000 * (error.details.retryAfterSeconds ?? 0))
    if (this.#failures >= this.#limits.triesMax || nowMs + delayMs > this.#deadlineMs) throw error
    await pause(delayMs, signal)
  }
}

/** Whether the very same may be sent again, as the table of errors says. */
export const isTransient = (error: unknown): error is EventStoreError =>
  error instanceof EventStoreError && error.retry === 'same-ids'

/**
 * Tries until it goes well, fails for good, or the limits are reached: then with the last error.
 * @param mayTryAgain where less than the table of errors allows is wanted.
 */
export async function retrying<T>(
  limits: RetryLimits,
  attempt: () => Promise<T>,
  mayTryAgain: (error: unknown) => boolean = isTransient,
): Promise<T> {
  const budget = new RetryBudget(limits)
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!mayTryAgain(error)) throw error
      await budget.afterFailure(error)
    }
  }
}

/** The same for an append: a try that may have come through makes the whole unknown, until one is answered for good. */
export async function settling<T>(limits: RetryLimits, attempt: () => Promise<T>): Promise<T> {
  let unknown: EventStoreError | undefined
  try {
    return await retrying(limits, async () => {
      try {
        return await attempt()
      } catch (error) {
        if (error instanceof EventStoreError && error.code === 'outcome-unknown') unknown = error
        throw error
      }
    })
  } catch (error) {
    throw isTransient(error) ? (unknown ?? error) : error
  }
}
