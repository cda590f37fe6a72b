import { Backoff, deadlineIn, fullJitter, pause } from '#async'
import { EventStoreError } from '#event-store'

/** Limits for the retries of one call. */
export interface RetryLimits {
  /** Maximum number of tries, including the first. Default 25. */
  readonly triesMax: number
  /** No retry starts later than this after the first failure. Default 30,000. The partitions of a dead writer are served again in under 15 s. */
  readonly totalMsMax: number
  /** Upper bound of the first delay. It doubles with each retry. Default 20. */
  readonly delayMsMin: number
  /** Maximum delay, unless the server requests a longer one. Default 2,000. */
  readonly delayMsMax: number
}

export const defaultRetryLimits: RetryLimits = {
  triesMax: 25,
  totalMsMax: 30_000,
  delayMsMin: 20,
  delayMsMax: 2_000,
}

/**
 * Counts the failures of one call and waits between its tries: exponential backoff with full jitter, never shorter than the
 * delay that the server requested (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
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

  /** Forgets earlier failures after a success. */
  reset(): void {
    this.#failures = 0
    this.#backoff.reset()
    this.#deadlineMs = Infinity
  }

  /** Waits before the next try. @throws the error itself when it must not be retried, or a limit is reached. */
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

/** Whether the error table allows the same request to be sent again. */
export const isTransient = (error: unknown): error is EventStoreError =>
  error instanceof EventStoreError && error.retry === 'same-ids'

/** Whether the error is about the caller, so that another server would answer the same. */
export const isAboutCaller = (error: unknown): boolean =>
  error instanceof EventStoreError && ['unauthenticated', 'forbidden', 'limit-exceeded'].includes(error.code)

/**
 * Retries until an attempt succeeds, fails with an error that must not be retried, or a limit is reached. Throws the last error.
 * @param mayRetry narrows what the error table allows.
 */
export async function retrying<T>(
  limits: RetryLimits,
  attempt: () => Promise<T>,
  mayRetry: (error: unknown) => boolean = isTransient,
): Promise<T> {
  const budget = new RetryBudget(limits)
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!mayRetry(error)) throw error
      await budget.afterFailure(error)
    }
  }
}

/** Retries an append. Once a try may have succeeded, the outcome stays unknown until a try gets a final answer. */
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
