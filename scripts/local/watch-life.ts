import { setTimeout as sleep } from 'node:timers/promises'

/** How to check whether the process of a service still works. */
export interface LifeProbe {
  /** Whether the process answers; may throw, and must end in time. */
  readonly live: () => Promise<boolean>
  /** Interval between two probes; default 2 s. */
  readonly everyMs?: number
  /** Failed probes in a row after which the process counts as hanging; default 10. */
  readonly silentMax?: number
}

const everyMsDefault = 2_000
const silentMaxDefault = 10

/**
 * Probes a process until too many probes in a row have failed, and returns their number. It counts probes, not time,
 * because a suspended machine does not hang.
 * @returns undefined when the signal aborts first
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
