import { expect, test } from 'vitest'

import { repeat } from './repeat.ts'

const never = new AbortController().signal
const rest = () => Promise.resolve()

test('a failing step is tried again after a pause that doubles, and begins small again after a success', async () => {
  const endings = ['fail', 'fail', 'again', 'fail', 'over'] as const
  const told: number[] = []
  let turn = 0
  const step = () => {
    const ending = endings[turn++] ?? 'over'
    return ending === 'fail' ? Promise.reject(new Error('no')) : Promise.resolve(ending)
  }
  const startedMs = performance.now()
  expect(await repeat({ signal: never, step, rest, failed: (_, retryInMs) => told.push(retryInMs) })).toBe(
    'over',
  )
  expect(told).toEqual([100, 200, 100])
  expect(performance.now() - startedMs).toBeGreaterThan(390)
})

test('it ends when the signal aborts, even in a pause', async () => {
  const leaving = new AbortController()
  const step = () => Promise.reject(new Error('no'))
  const failed = (_: unknown, retryInMs: number) => {
    if (retryInMs === 200) leaving.abort()
  }
  expect(await repeat({ signal: leaving.signal, step, rest, failed })).toBe('stopped')
})
