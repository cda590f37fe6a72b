import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { Rate } from './rate.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

interface Passed {
  readonly atMs: number
  readonly amount: number
}

/** Asks for amounts with pauses between them. @returns those that passed */
function run(rate: Rate, steps: readonly (readonly [pauseMs: number, amount: number])[]): Passed[] {
  return steps.flatMap(([pauseMs, amount]) => {
    vi.advanceTimersByTime(pauseMs)
    return rate.take(amount) ? [{ atMs: performance.now(), amount }] : []
  })
}

/** The most that passed in any period beyond what the period refills. */
const burstOf = (passed: readonly Passed[], perSecond: number): number => {
  let burst = 0
  for (const [from, { atMs: fromMs }] of passed.entries()) {
    let sum = 0
    for (const { atMs, amount } of passed.slice(from)) {
      sum += amount
      burst = Math.max(burst, sum - ((atMs - fromMs) * perSecond) / 1_000)
    }
  }
  return burst
}

const stepsUpTo = (amountMax: number) =>
  fc.array(fc.tuple(fc.nat(1_500), fc.nat(amountMax)), { maxLength: 60 })

describe('a rate', () => {
  test('never lets more than a full bucket and the refill of the time pass', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 1_000 })
          .chain((perSecond) => fc.tuple(fc.constant(perSecond), stepsUpTo(perSecond))),
        ([perSecond, steps]) => {
          expect(burstOf(run(new Rate(perSecond), steps), perSecond)).toBeLessThanOrEqual(perSecond + 1e-6)
        },
      ),
    )
  })

  test('with amounts larger than the bucket, the burst is the largest amount', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), stepsUpTo(1_000), (perSecond, steps) => {
        const largest = Math.max(perSecond, ...steps.map(([, amount]) => amount))
        expect(burstOf(run(new Rate(perSecond), steps), perSecond)).toBeLessThanOrEqual(largest + 1e-6)
      }),
    )
  })

  test('lets an amount pass after the announced time, and not earlier', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        stepsUpTo(2_000),
        fc.integer({ min: 1, max: 2_000 }),
        (perSecond, steps, amount) => {
          const rate = new Rate(perSecond)
          run(rate, steps)
          const waitMs = rate.waitMs(amount)
          // The bucket counts in fractions, whose rounding may move the time by a millisecond.
          if (waitMs > 2) {
            vi.advanceTimersByTime(waitMs - 2)
            expect(rate.take(amount)).toBe(false)
          }
          vi.advanceTimersByTime(Math.min(waitMs, 2) + 1)
          expect(rate.take(amount)).toBe(true)
        },
      ),
    )
  })

  test('is full again a second after any use within its size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), stepsUpTo(1), (perSecond, steps) => {
        const rate = new Rate(perSecond)
        run(rate, steps)
        vi.advanceTimersByTime(1_001)
        expect(rate.isFull).toBe(true)
        expect(rate.available).toBe(perSecond)
      }),
    )
  })

  test('an amount larger than the bucket passes when it is full, and the refill pays for it', () => {
    const rate = new Rate(10)
    expect(rate.take(25)).toBe(true)
    expect(rate.available).toBe(0)
    expect(rate.waitMs(1)).toBe(1_600)
    expect(rate.waitMs(25)).toBe(2_500)
    vi.advanceTimersByTime(1_600)
    expect(rate.take(1)).toBe(true)
    expect(rate.take(25)).toBe(false)
  })

  test('what is given back can be taken again, and never exceeds the bucket', () => {
    const rate = new Rate(10)
    rate.take(6)
    rate.giveBack(6)
    expect(rate.isFull).toBe(true)
    rate.giveBack(100)
    expect(rate.available).toBe(10)
    rate.force(12)
    expect(rate.take(1)).toBe(false)
  })

  test('a change of the rate keeps how full the bucket is, also its debt', () => {
    const rate = new Rate(10)
    rate.change(100)
    expect(rate.isFull).toBe(true)
    rate.take(75)
    rate.change(4)
    expect(rate.available).toBe(1)
    rate.force(5)
    rate.change(8)
    expect(rate.waitMs(1)).toBe(1_125)
  })

  test.each([0, -1, 0.5, Number.NaN, Infinity])('%d a second is no rate', (perSecond) => {
    expect(() => new Rate(perSecond)).toThrow(RangeError)
    expect(() => new Rate(1).change(perSecond)).toThrow(RangeError)
  })

  test('needs no timer', () => {
    vi.useFakeTimers()
    const rate = new Rate(1)
    rate.take(1)
    rate.take(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})
