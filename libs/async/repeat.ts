import { Backoff, noJitter } from './backoff.ts'
import { pause } from './pause.ts'

const retryLimits = { delayMsMin: 100, delayMsMax: 10_000 }

export interface Repetition {
  readonly signal: AbortSignal
  readonly step: () => Promise<'over' | 'again'>
  /** Waits between two steps. */
  readonly rest: () => Promise<void>
  readonly failed: (error: unknown, retryInMs: number) => void
}

/**
 * Repeats a step until it is over or the signal aborts. A failed step is retried after a delay that doubles with each
 * failure in a row, from 100 ms up to 10 s. Never rejects.
 */
export async function repeat({ signal, step, rest, failed }: Repetition): Promise<'over' | 'stopped'> {
  const backoff = new Backoff(retryLimits, noJitter)
  while (!signal.aborted) {
    try {
      if ((await step()) === 'over') return 'over'
      backoff.reset()
    } catch (error) {
      const delayMs = backoff.nextMs()
      failed(error, delayMs)
      await pause(delayMs, signal)
      continue
    }
    await rest()
  }
  return 'stopped'
}
