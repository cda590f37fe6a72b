import { expect, test } from 'vitest'

import { pause } from '#async'

import { settled } from './settled.ts'

const long = 60_000

test.each([
  ['resolves', () => Promise.resolve(1)],
  ['rejects', () => Promise.reject(new Error('broken'))],
])('a wait for a promise that %s ends', async (_, promiseOf) => {
  const arrived = settled(promiseOf())
  expect(arrived.aborted).toBe(false)
  await pause(long, arrived)
  expect(arrived.aborted).toBe(true)
})
