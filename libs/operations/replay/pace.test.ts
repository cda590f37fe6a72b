import { expect, test } from 'vitest'

import { type Clock, paceOf, unlimited } from './pace.ts'

/** A clock that advances only when a caller waits. */
function clockAt(startMs: number): Clock & { passMs(ms: number): void } {
  let atMs = startMs
  return {
    nowMs: () => atMs,
    waitMs: (ms) => Promise.resolve((atMs += ms)),
    passMs: (ms) => (atMs += ms),
  }
}

const never = new AbortController().signal

test.each([1, 7, 200, 50_000])(
  '%i events per second take one second, in bursts of at most 50 ms',
  async (rate) => {
    const clock = clockAt(5_000)
    const pace = paceOf(rate, clock)
    for (let taken = 0; taken <= rate; taken += pace.burst) {
      await pace.take(pace.burst, never)
      expect(clock.nowMs() - 5_000).toBeCloseTo((taken * 1_000) / rate, 3)
    }
  },
)

test('a burst is the events of at most 50 ms', () => {
  expect(paceOf(1).burst).toBe(1)
  expect(paceOf(1_000).burst).toBe(50)
  expect(unlimited.burst).toBe(Infinity)
})

test('unused events are not accumulated', async () => {
  const clock = clockAt(0)
  const pace = paceOf(10, clock)
  await pace.take(1, never)
  clock.passMs(10_000)
  await pace.take(1, never)
  await pace.take(1, never)
  expect(clock.nowMs()).toBe(10_100)
})

test('an abort ends the wait', async () => {
  const stop = new AbortController()
  const pace = paceOf(0.001)
  await pace.take(1, stop.signal)
  const taking = pace.take(1, stop.signal)
  stop.abort()
  await taking
})
