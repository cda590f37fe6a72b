import { pause } from '#projections'

const delayMsMin = 100
const delayMsMax = 10_000

export interface Repetition {
  readonly signal: AbortSignal
  readonly step: () => Promise<'over' | 'again'>
  /** Between two steps. */
  readonly rest: () => Promise<void>
  readonly failed: (error: unknown, retryInMs: number) => void
}

/**
 * Takes a step again and again until it is over, or the signal aborts. A step that fails is tried again after a pause
 * that doubles from failure to failure, up to 10 s. Never rejects.
 */
export async function repeat({ signal, step, rest, failed }: Repetition): Promise<'over' | 'stopped'> {
  let delayMs = delayMsMin
  while (!signal.aborted) {
    try {
      if ((await step()) === 'over') return 'over'
      delayMs = delayMsMin
    } catch (error) {
      failed(error, delayMs)
      await pause(delayMs, signal)
      delayMs = Math.min(delayMs * 2, delayMsMax)
      continue
    }
    await rest()
  }
  return 'stopped'
}
