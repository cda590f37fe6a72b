import fc from 'fast-check'
import { expect, test } from 'vitest'

import { EarlyPace } from './early-pace.ts'

const minuteMs = 60_000

test('a lost partition is left to the group for a minute, then twice as long each time, up to an hour', () => {
  let nowMs = 0
  const pace = new EarlyPace(() => nowMs)
  expect(pace.mayTake('t/0')).toBe(true)
  const pauses: number[] = []
  for (let losses = 0; losses < 9; losses++) {
    pace.lost('t/0')
    const lostAtMs = nowMs
    while (!pace.mayTake('t/0')) nowMs += minuteMs / 2
    pauses.push((nowMs - lostAtMs) / minuteMs)
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  expect(pace.mayTake('t/1')).toBe(true)
})

test('an hour after a pause has ended without a loss, the next loss counts as the first', () => {
  let nowMs = 0
  const pace = new EarlyPace(() => nowMs)
  pace.lost('t/0')
  pace.lost('t/0')
  nowMs += 2 * minuteMs + 60 * minuteMs
  pace.lost('t/0')
  nowMs += minuteMs
  expect(pace.mayTake('t/0')).toBe(true)
})

test('whenever a partition is lost, at most once per pause it is taken', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(10 * minuteMs), { maxLength: 200 }), (steps) => {
      let nowMs = 0
      const pace = new EarlyPace(() => nowMs)
      const taken: number[] = []
      for (const step of steps) {
        nowMs += step
        if (!pace.mayTake('t/0')) continue
        taken.push(nowMs)
        pace.lost('t/0')
      }
      const gaps = taken.slice(1).map((at, index) => at - (taken[index] ?? 0))
      expect(gaps.every((gap) => gap >= minuteMs)).toBe(true)
    }),
  )
})
