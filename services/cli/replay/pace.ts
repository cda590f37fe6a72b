import { setTimeout as pause } from 'node:timers/promises'

/** Events that may go at once are those of so many milliseconds: few enough to look smooth. */
const burstMs = 50

/** How fast events go, all partitions together: a token bucket that holds the events of 50 ms. */
export interface Pace {
  /** As many as may be asked for at once. */
  readonly burst: number
  /** Waits until so many may go; less long when the signal aborts. */
  take(events: number, signal: AbortSignal): Promise<void>
}

/** As fast as it goes. */
export const unlimited: Pace = { burst: Infinity, take: () => Promise.resolve() }

/** @param perSecond events, more than 0. */
export function paceOf(perSecond: number): Pace {
  // The bucket is kept as the moment at which it will be full again: what is taken moves it on.
  let fullAtMs = -Infinity
  return {
    burst: Math.max(1, Math.floor((perSecond * burstMs) / 1_000)),
    async take(events, signal) {
      const nowMs = performance.now()
      const startMs = Math.max(nowMs, fullAtMs)
      fullAtMs = startMs + (events * 1_000) / perSecond
      if (startMs > nowMs) await pause(startMs - nowMs, undefined, { signal }).catch(() => undefined)
    },
  }
}
