import { expect, test } from 'vitest'

import { TakeOverPace } from './take-over-pace.ts'

test('a few take-overs may follow immediately, then one in twenty seconds, however long the fault lasts', () => {
  let nowMs = 0
  const pace = new TakeOverPace(() => nowMs)
  const begun: number[] = []
  while (nowMs < 3_600_000) {
    const { waitMs } = pace
    if (waitMs > 0) {
      nowMs += waitMs
      continue
    }
    pace.spend()
    begun.push(nowMs)
    nowMs += 50
  }
  expect(begun.filter((at) => at < 1_000)).toHaveLength(10)
  expect(begun.length).toBeLessThanOrEqual(10 + 3_600 / 20)
  expect(begun.length).toBeGreaterThan(3_600 / 20)
})

test('after a quiet period a few may follow immediately again', () => {
  let nowMs = 0
  const pace = new TakeOverPace(() => nowMs)
  for (let n = 0; n < 10; n++) pace.spend()
  expect(pace.waitMs).toBe(20_000)
  nowMs += 10 * 20_000
  for (let n = 0; n < 10; n++) {
    expect(pace.waitMs).toBe(0)
    pace.spend()
  }
  expect(pace.waitMs).toBeGreaterThan(0)
})
