import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { pause } from './pause.ts'
import { unlessAborted } from './unless-aborted.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a pause lasts for its duration', async () => {
  const over = vi.fn()
  void pause(1_000).then(over)
  await vi.advanceTimersByTimeAsync(999)
  expect(over).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(over).toHaveBeenCalled()
})

test('a pause ends when the signal aborts, immediately if it has already aborted, and leaves no timer', async () => {
  const stop = new AbortController()
  const waiting = pause(60_000, stop.signal)
  stop.abort()
  await waiting
  await pause(60_000, stop.signal)
  expect(vi.getTimerCount()).toBe(0)
})

test('waits for a promise unless the signal aborts', async () => {
  const stop = new AbortController()
  expect(await unlessAborted(stop.signal, Promise.resolve(7))).toBe(7)
  await expect(unlessAborted(stop.signal, Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  const never = unlessAborted(stop.signal, new Promise(() => undefined))
  stop.abort()
  expect(await never).toBeUndefined()
})

test('waits for no promise if the signal has already aborted, and a later failure of the promise is handled', async () => {
  const late = Promise.withResolvers<number>()
  expect(await unlessAborted(AbortSignal.abort(), late.promise)).toBeUndefined()
  late.reject(new Error('late'))
  await vi.advanceTimersByTimeAsync(0)
})
