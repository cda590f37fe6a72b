import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Backoff, fullJitter, halfJitter, noJitter } from './backoff.ts'

const limits = { delayMsMin: 100, delayMsMax: 1_000 }

test('the delay doubles with each failure up to its bound, and restarts at its minimum after a success', () => {
  const backoff = new Backoff(limits, noJitter)
  expect(Array.from({ length: 6 }, () => backoff.nextMs())).toEqual([100, 200, 400, 800, 1_000, 1_000])
  backoff.reset()
  expect(backoff.nextMs()).toBe(100)
})

test('the delay stays within its bound after any number of failures', () => {
  const backoff = new Backoff(limits)
  for (let failures = 0; failures < 2_000; failures++) expect(backoff.nextMs()).toBeLessThanOrEqual(1_000)
})

test('half jitter keeps at least half of the delay, full jitter none of it', () => {
  const ceiling = fc.double({ min: 1, max: 1e6, noNaN: true })
  fc.assert(fc.property(ceiling, (ms) => halfJitter(ms) >= ms / 2 && halfJitter(ms) <= ms))
  fc.assert(fc.property(ceiling, (ms) => fullJitter(ms) >= 0 && fullJitter(ms) < ms))
})
