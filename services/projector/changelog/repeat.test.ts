import { expect, test } from 'vitest'

import { repeat } from './repeat.ts'

const never = new AbortController().signal
const final = new Error('final')
const isFinal = (error: unknown) => error === final

test('a failed step is retried after a delay that doubles and restarts at its minimum after a success; a final failure is thrown', async () => {
  const endings = ['fail', 'fail', 'again', 'fail'] as const
  const delays: number[] = []
  let turn = 0
  const step = () => {
    const ending = endings[turn++]
    if (ending === undefined) return Promise.reject(final)
    return ending === 'fail' ? Promise.reject(new Error('no')) : Promise.resolve()
  }
  const startedMs = performance.now()
  const failed = (_: unknown, retryInMs: number) => delays.push(retryInMs)
  await expect(repeat({ signal: never, step, isFinal, failed })).rejects.toBe(final)
  expect(delays).toEqual([100, 200, 100])
  expect(performance.now() - startedMs).toBeGreaterThan(390)
})

test('it ends when the signal aborts, also during a pause', async () => {
  const leaving = new AbortController()
  let steps = 0
  const step = () => {
    steps++
    return Promise.reject(new Error('no'))
  }
  const failed = (_: unknown, retryInMs: number) => {
    if (retryInMs === 200) leaving.abort()
  }
  await repeat({ signal: leaving.signal, step, failed })
  expect(steps).toBe(2)
})
