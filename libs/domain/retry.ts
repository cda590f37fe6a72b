/** How often to retry, and with which delays. */
export interface RetryPolicy {
  /** Maximum number of tries, including the first; default 8. */
  readonly triesMax: number
  /** Upper bound of the first delay. It doubles with each retry. Default 10. */
  readonly delayMsMin: number
  /** Maximum delay; default 1,000. */
  readonly delayMsMax: number
  /** Waits before a retry; default `setTimeout`. */
  readonly sleep: (delayMs: number) => Promise<void>
  /** Returns a number from 0 to below 1; default `Math.random`. */
  readonly random: () => number
}

export const defaultRetryPolicy: RetryPolicy = {
  triesMax: 8,
  delayMsMin: 10,
  delayMsMax: 1_000,
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
  random: Math.random,
}

/**
 * Runs `attempt` until it succeeds, fails with an error that `mayRetry` excludes, or the tries are exhausted. Throws the last error.
 * Exponential backoff with full jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * The delay after an error with `details.retryAfterSeconds` is at least that long.
 * @param attempt receives the number of failed tries so far.
 */
export async function withRetry<T>(
  policy: RetryPolicy,
  mayRetry: (error: unknown) => boolean,
  attempt: (failures: number) => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await attempt(failures)
    } catch (error) {
      if (failures + 1 >= policy.triesMax || !mayRetry(error)) throw error
      const ceilingMs = Math.min(policy.delayMsMax, policy.delayMsMin * 2 ** failures)
      await policy.sleep(Math.max(policy.random() * ceilingMs, requestedDelayMs(error)))
    }
  }
}

/** The delay that the store requested in `details.retryAfterSeconds`. */
function requestedDelayMs(error: unknown): number {
  const { details } = error as { readonly details?: { readonly retryAfterSeconds?: unknown } }
  return typeof details?.retryAfterSeconds === 'number' ? details.retryAfterSeconds * 1_000 : 0
}
