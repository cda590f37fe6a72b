import { setTimeout as pause } from 'node:timers/promises'

/** A burst is the events of this many milliseconds: few enough for a smooth rate. */
const burstMs = 50

/** Limits the rate of events, all partitions together: a token bucket that holds the events of 50 ms. */
export interface ReplayPace {
  /** The maximum number of events per call of `take`. */
  readonly burst: number
  /** Waits until this many events may be sent, or the signal aborts. */
  take(events: number, signal: AbortSignal): Promise<void>
}

/** No limit. */
export const unlimited: ReplayPace = { burst: Infinity, take: () => Promise.resolve() }

export interface Clock {
  nowMs(): number
  /** @throws when the signal aborts. */
  waitMs(ms: number, signal: AbortSignal): Promise<unknown>
}

const realClock: Clock = {
  nowMs: () => performance.now(),
  waitMs: (ms, signal) => pause(ms, undefined, { signal }),
}

/** @param perSecond events per second, more than 0. */
export function paceOf(perSecond: number, clock = realClock): ReplayPace {
  // The state of the bucket is the time at which it will be full again. Each event moves that time forward.
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
