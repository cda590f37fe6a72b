import { expect, test } from 'vitest'

import { pause } from './pause.ts'
import { settled } from './settled.ts'

const long = 60_000

test.each([
  ['is kept', () => Promise.resolve(1)],
  ['is broken', () => Promise.reject(new Error('broken'))],
])('whoever waits for a promise that %s is woken', async (_, promiseOf) => {
  const arrived = settled(promiseOf())
  expect(arrived.aborted).toBe(false)
  await pause(long, arrived)
  expect(arrived.aborted).toBe(true)
})
