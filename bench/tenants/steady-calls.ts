import { setTimeout as sleep } from 'node:timers/promises'

import { type CallersResult, callersResult } from '../callers.ts'

/**
 * Calls at a constant rate, whether or not earlier calls have returned. Times count from when a call was due, so a pause
 * delays all calls that were due in it (Gil Tene, "How NOT to Measure Latency", 2015).
 */
export async function steadyCalls(
  perSecond: number,
  durationMs: number,
  call: () => Promise<unknown>,
): Promise<CallersResult> {
  const startMs = performance.now()
  const timesMs: number[] = []
  const running: Promise<void>[] = []
  const timed = async (dueMs: number) => {
    await call()
    timesMs.push(performance.now() - dueMs)
  }
  for (let n = 0; n < (durationMs / 1_000) * perSecond; n++) {
    const dueMs = startMs + (n * 1_000) / perSecond
    const waitMs = dueMs - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    running.push(timed(dueMs))
  }
  await Promise.all(running)
  return callersResult([{ timesMs, elapsedMs: performance.now() - startMs }])
}
