import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { EventStoreError } from '#event-store'

import { RetryBudget, retrying, type RetryLimits, settling } from './backoff.ts'

const limits: RetryLimits = { triesMax: 5, totalMsMax: 10_000, delayMsMin: 100, delayMsMax: 300 }
const busy = new EventStoreError('overloaded', 'busy')
const unknown = new EventStoreError('outcome-unknown', 'no answer')
const conflict = new EventStoreError('wrong-expected-version', 'another came first')

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => vi.useRealTimers().restoreAllMocks())

/** Fails with each of these errors, then succeeds. */
const failing = (...errors: readonly Error[]) => {
  const tried: number[] = []
  const attempt = () => {
    tried.push(performance.now())
    const error = errors[tried.length - 1]
    return error === undefined ? Promise.resolve('done') : Promise.reject(error)
  }
  return { tried, attempt }
}

const outcome = async (promise: Promise<unknown>): Promise<unknown> => {
  const settled = promise.catch((error: unknown) => error)
  await vi.runAllTimersAsync()
  return settled
}

const pauses = (tried: readonly number[]) => tried.slice(1).map((at, index) => at - (tried[index] ?? 0))

describe('tries', () => {
  test.each([
    [0.999, [100, 200, 300, 300]],
    [0.5, [50, 100, 150, 150]],
    [0, [0, 0, 0, 0]],
  ])('are separated by a random fraction (%d) of a doubling delay', async (random, expected) => {
    vi.spyOn(Math, 'random').mockReturnValue(random)
    const { tried, attempt } = failing(busy, busy, busy, busy)
    expect(await outcome(retrying(limits, attempt))).toBe('done')
    pauses(tried).forEach((pause, index) => expect(Math.abs(pause - (expected[index] ?? -9))).toBeLessThan(2))
  })

  test('end with the last error at the maximum number', async () => {
    const { tried, attempt } = failing(...Array<Error>(9).fill(busy))
    expect(await outcome(retrying(limits, attempt))).toBe(busy)
    expect(tried).toHaveLength(5)
  })

  test('end when the next would exceed the total time', async () => {
    const slow = new EventStoreError('unavailable', 'come later', { retryAfterSeconds: 4 })
    const { tried, attempt } = failing(slow, slow, slow, slow)
    expect(await outcome(retrying(limits, attempt))).toBe(slow)
    expect(tried).toHaveLength(3)
  })

  test.each([[conflict], [new TypeError('a mistake')]])(
    'end at once after an error that must not be retried: %s',
    async (error) => {
      const { tried, attempt } = failing(error)
      expect(await outcome(retrying(limits, attempt))).toBe(error)
      expect(tried).toHaveLength(1)
    },
  )

  test('are counted from zero after a success', async () => {
    const backoff = new RetryBudget({ ...limits, triesMax: 2 })
    for (let n = 0; n < 5; n += 1) {
      const pause = backoff.afterFailure(busy)
      await vi.runAllTimersAsync()
      await pause
      backoff.reset()
    }
  })

  test('do not wait once their signal has aborted', async () => {
    const ending = new AbortController()
    const pause = new RetryBudget(limits).afterFailure(busy, ending.signal)
    ending.abort()
    await pause
    await new RetryBudget(limits).afterFailure(busy, ending.signal)
  })
})

describe('an append that may have succeeded', () => {
  test.each([
    ['stays unknown when it is rejected temporarily afterwards', [unknown, busy, busy, busy, busy], unknown],
    ['is resolved when it is rejected permanently afterwards', [unknown, conflict], conflict],
    ['is resolved when it is answered', [unknown, busy], 'done'],
  ])('%s', async (_, errors, expected) => {
    expect(await outcome(settling(limits, failing(...errors).attempt))).toBe(expected)
  })
})
