import { setTimeout as sleep } from 'node:timers/promises'

/** How a service is asked whether its process still works. */
export interface LifeProbe {
  /** Whether the process answers that it lives; may throw, and must end in time. */
  readonly live: () => Promise<boolean>
  /** Between two questions; 2 s unless told otherwise. */
  readonly everyMs?: number
  /** Questions in a row without a good answer that mean that the process hangs; 10 unless told otherwise. */
  readonly silentMax?: number
}

const everyMsDefault = 2_000
const silentMaxDefault = 10

/**
 * Asks again and again whether a process lives, and returns how often it did not answer once that was too often in a row. Questions are
 * counted, not time: a machine that was suspended has not hung.
 * @returns undefined where the signal aborts first
 */
export async function watchLife(probe: LifeProbe, signal: AbortSignal): Promise<number | undefined> {
  const { everyMs = everyMsDefault, silentMax = silentMaxDefault } = probe
  let silent = 0
  while (await slept(everyMs, signal)) {
    silent = (await answers(probe)) ? 0 : silent + 1
    if (silent >= silentMax && !signal.aborted) return silent
  }
  return undefined
}

const answers = ({ live }: LifeProbe): Promise<boolean> => live().catch(() => false)

const slept = (ms: number, signal: AbortSignal): Promise<boolean> =>
  sleep(ms, true, { signal }).catch(() => false)
