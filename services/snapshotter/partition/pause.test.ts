import { expect, test } from 'vitest'

import { pause, settled } from './pause.ts'

const long = 60_000

test('a pause ends early when the signal aborts, also where it had aborted before', async () => {
  const end = new AbortController()
  const pausing = pause(long, end.signal)
  end.abort()
  await pausing
  await pause(long, end.signal)
})

test.each([
  ['is kept', () => Promise.resolve(1)],
  ['is broken', () => Promise.reject(new Error('broken'))],
])('whoever waits for a promise that %s is woken', async (_, promiseOf) => {
  const arrived = settled(promiseOf())
  expect(arrived.aborted).toBe(false)
  await pause(long, arrived)
  expect(arrived.aborted).toBe(true)
})
