import { describe, expect, test } from 'vitest'

import { defaultRetryPolicy, type RetryPolicy, withRetry } from './retry.ts'

const fatal = new Error('fatal')

function tried(policy: Partial<RetryPolicy>, outcomes: readonly (string | Error)[]) {
  const delaysMs: number[] = []
  const failuresSeen: number[] = []
  const recording: RetryPolicy = {
    ...defaultRetryPolicy,
    random: () => 0.5,
    sleep: (delayMs) => Promise.resolve(void delaysMs.push(delayMs)),
    ...policy,
  }
  const result = withRetry(
    recording,
    (error) => error !== fatal,
    (failures) => {
      failuresSeen.push(failures)
      const outcome = outcomes[failures] ?? 'no more outcomes'
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome)
    },
  )
  return { result, delaysMs, failuresSeen }
}

const failures = (count: number) => Array.from({ length: count }, (_, index) => new Error(`try ${index}`))

describe('a retry', () => {
  test('does not happen when the first try succeeds', async () => {
    const { result, delaysMs } = tried({}, ['done'])
    expect(await result).toBe('done')
    expect(delaysMs).toEqual([])
  })

  test('waits longer each time, up to a bound, with full jitter', async () => {
    const policy = { triesMax: 7, delayMsMin: 10, delayMsMax: 100 }
    const { result, delaysMs, failuresSeen } = tried(policy, [...failures(6), 'done'])
    expect(await result).toBe('done')
    expect(delaysMs).toEqual([5, 10, 20, 40, 50, 50])
    expect(failuresSeen).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  test.each([
    [0, [0, 0]],
    [0.999, [9.99, 19.98]],
  ])('with random %d waits %j', async (random, expected) => {
    const { result, delaysMs } = tried({ random: () => random }, [...failures(2), 'done'])
    await result
    expect(delaysMs).toEqual(expected)
  })

  test('waits at least as long as the error requests', async () => {
    const busy = (retryAfterSeconds: number) =>
      Object.assign(new Error('busy'), { details: { retryAfterSeconds } })
    const { result, delaysMs } = tried({}, [busy(2), busy(0.001), 'done'])
    await result
    expect(delaysMs).toEqual([2_000, 10])
  })

  test('fails with the last error when the tries are exhausted', async () => {
    const { result, delaysMs } = tried({ triesMax: 3 }, [...failures(3), 'too late'])
    await expect(result).rejects.toThrow('try 2')
    expect(delaysMs).toHaveLength(2)
  })

  test('does not happen after an error that must not be retried', async () => {
    const { result, failuresSeen } = tried({}, [new Error('once'), fatal, 'never'])
    await expect(result).rejects.toBe(fatal)
    expect(failuresSeen).toEqual([0, 1])
  })

  test('waits with setTimeout by default', async () => {
    await expect(defaultRetryPolicy.sleep(0)).resolves.toBeUndefined()
  })
})
