import { expect, test } from 'vitest'

import { repeat } from './repeat.ts'

const never = new AbortController().signal
const rest = () => Promise.resolve()

test('a failed step is retried after a delay that doubles and restarts at its minimum after a success', async () => {
  const endings = ['fail', 'fail', 'again', 'fail', 'over'] as const
  const delays: number[] = []
  let turn = 0
  const step = () => {
    const ending = endings[turn++] ?? 'over'
    return ending === 'fail' ? Promise.reject(new Error('no')) : Promise.resolve(ending)
  }
  const startedMs = performance.now()
  expect(await repeat({ signal: never, step, rest, failed: (_, retryInMs) => delays.push(retryInMs) })).toBe(
    'over',
  )
  expect(delays).toEqual([100, 200, 100])
  expect(performance.now() - startedMs).toBeGreaterThan(390)
})

test('it ends when the signal aborts, also during a pause', async () => {
  const leaving = new AbortController()
  const step = () => Promise.reject(new Error('no'))
  const failed = (_: unknown, retryInMs: number) => {
    if (retryInMs === 200) leaving.abort()
  }
  expect(await repeat({ signal: leaving.signal, step, rest, failed })).toBe('stopped')
})
