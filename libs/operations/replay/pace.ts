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

export interface Clock {
  nowMs(): number
  /** @throws when the signal aborts. */
  waitMs(ms: number, signal: AbortSignal): Promise<unknown>
}

const realClock: Clock = {
  nowMs: () => performance.now(),
  waitMs: (ms, signal) => pause(ms, undefined, { signal }),
}

/** @param perSecond events, more than 0. */
export function paceOf(perSecond: number, clock = realClock): Pace {
  // The bucket is kept as the moment at which it will be full again: what is taken moves it on.
  let fullAtMs = -Infinity
  return {
    burst: Math.max(1, Math.floor((perSecond * burstMs) / 1_000)),
    async take(events, signal) {
      const nowMs = clock.nowMs()
      const startMs = Math.max(nowMs, fullAtMs)
      fullAtMs = startMs + (events * 1_000) / perSecond
      if (startMs > nowMs) await clock.waitMs(startMs - nowMs, signal).catch(() => undefined)
    },
  }
}
