import { Backoff, noJitter, pause } from '#async'

const retryLimits = { delayMsMin: 100, delayMsMax: 10_000 }

interface Repetition {
  readonly signal: AbortSignal
  /** Waits itself for its next work: there is no pause between two steps. */
  readonly step: () => Promise<void>
  /** Whether a failure ends the repetition. Default: none does. */
  readonly isFinal?: (error: unknown) => boolean
  readonly failed: (error: unknown, retryInMs: number) => void
}

/**
 * Repeats a step until the signal aborts. A failed step is retried after a delay that doubles with each failure in a
 * row, from 100 ms up to 10 s. @throws a failure that is final.
 */
export async function repeat({ signal, step, isFinal, failed }: Repetition): Promise<void> {
  const backoff = new Backoff(retryLimits, noJitter)
  while (!signal.aborted) {
    try {
      await step()
      backoff.reset()
    } catch (error) {
      if (isFinal?.(error) === true) throw error
      const delayMs = backoff.nextMs()
      failed(error, delayMs)
      await pause(delayMs, signal)
    }
  }
}
