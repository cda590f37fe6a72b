import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { deadlineIn, msUntil, within } from './deadline.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const late = () => new Error('late')

test('settles as the work does and leaves no timer', async () => {
  await expect(within(deadlineIn(1_000), Promise.resolve(7), late)).resolves.toBe(7)
  await expect(within(deadlineIn(1_000), Promise.reject(new Error('broken')), late)).rejects.toThrow('broken')
  expect(vi.getTimerCount()).toBe(0)
})

test('rejects at the deadline, not before', async () => {
  const outcome = vi.fn()
  const never = within(deadlineIn(1_000), new Promise(() => undefined), late).catch(outcome)
  await vi.advanceTimersByTimeAsync(999)
  expect(outcome).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  await never
  expect(outcome).toHaveBeenCalledWith(late())
})

test('no time is left after the deadline', async () => {
  const deadline = deadlineIn(1_000)
  expect(msUntil(deadline)).toBe(1_000)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(msUntil(deadline)).toBe(0)
})
