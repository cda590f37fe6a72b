/** How often and how long to try again. */
export interface RetryPolicy {
  /** Tries in all, the first included; default 8. */
  readonly triesMax: number
  /** Upper end of the first delay; doubles with each further one. Default 10. */
  readonly delayMsMin: number
  /** No delay is longer; default 1,000. */
  readonly delayMsMax: number
  /** Default the timer. */
  readonly sleep: (delayMs: number) => Promise<void>
  /** From 0 to below 1; default Math.random. */
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
 * Runs `attempt` until it succeeds, fails for good, or the tries are used up: then with the last error.
 * Exponential backoff with full jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * An error that carries `details.retryAfterSeconds` is waited for at least that long.
 * @param attempt gets the number of failed tries before it.
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
      await policy.sleep(Math.max(policy.random() * ceilingMs, askedDelayMs(error)))
    }
  }
}

/** What the store itself asked for, by `details.retryAfterSeconds`. */
function askedDelayMs(error: unknown): number {
  const { details } = error as { readonly details?: { readonly retryAfterSeconds?: unknown } }
  return typeof details?.retryAfterSeconds === 'number' ? details.retryAfterSeconds * 1_000 : 0
}
