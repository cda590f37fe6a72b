import { setTimeout as timer } from 'node:timers/promises'

/** Waits, but no longer than until the signal aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  timer(ms, undefined, { signal }).catch(() => undefined)

/** What the promise brings, or undefined when that takes longer. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const end = new AbortController()
  try {
    return await Promise.race([promise, timer(ms, undefined, { signal: end.signal })])
  } finally {
    end.abort()
  }
}
