import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { GenerationState } from '#projections'

import { GenerationWatch } from './generation-watch.ts'

const totals = { name: 'totals', indexNames: [] }
const others = { name: 'others', indexNames: [] }
const states: readonly GenerationState[] = []
const generations = vi.fn(() => Promise.resolve(states))
let watch: GenerationWatch

beforeEach(() => {
  vi.useFakeTimers()
  generations.mockClear()
  watch = new GenerationWatch({ list: generations })
})
afterEach(() => {
  vi.useRealTimers()
})

test('readers that are due together share one read of the store; each projection has its own', async () => {
  const looks = [watch.looks(totals), watch.looks(totals), watch.looks(others)]
  const answers = Promise.all(looks.map((each) => each.next(100)))
  await vi.advanceTimersByTimeAsync(99)
  expect(generations).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(generations.mock.calls).toEqual([[totals], [others]])
  expect(await answers).toEqual([states, states, states])
})

test('all readers share one timer, and without requests there is none', async () => {
  const looks = [20, 200, 5_000].map((ms) => [watch.looks(totals), ms] as const)
  for (const [each, ms] of looks) void each.next(ms)
  expect(vi.getTimerCount()).toBe(1)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(generations).toHaveBeenCalledTimes(3)
  expect(vi.getTimerCount()).toBe(0)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(generations).toHaveBeenCalledTimes(3)
})

test('a hurried reader is answered earlier, also if it asks only afterwards', async () => {
  const looks = watch.looks(totals)
  const first = looks.next(5_000)
  looks.hurry(20)
  await vi.advanceTimersByTimeAsync(20)
  expect(await first).toBe(states)
  looks.hurry(20)
  const second = looks.next(5_000)
  await vi.advanceTimersByTimeAsync(20)
  expect(await second).toBe(states)
  void looks.next(5_000)
  await vi.advanceTimersByTimeAsync(4_000)
  expect(generations).toHaveBeenCalledTimes(2)
})

test('a change during a read of the store needs another read', async () => {
  const asked = Promise.withResolvers<typeof states>()
  generations.mockReturnValueOnce(asked.promise)
  const looks = watch.looks(totals)
  const first = looks.next(0)
  await vi.advanceTimersByTimeAsync(1)
  looks.hurry(20)
  asked.resolve(states)
  await first
  void looks.next(5_000)
  await vi.advanceTimersByTimeAsync(20)
  expect(generations).toHaveBeenCalledTimes(2)
})

test('a store that does not answer fails the request, and the reader may ask again', async () => {
  generations.mockRejectedValueOnce(new Error('away'))
  const looks = watch.looks(totals)
  const failed = expect(looks.next(10)).rejects.toThrow('away')
  await vi.advanceTimersByTimeAsync(10)
  await failed
  const next = looks.next(10)
  await vi.advanceTimersByTimeAsync(10)
  expect(await next).toBe(states)
})

test('an ended reader gets undefined, and the store is no longer read for it', async () => {
  const looks = watch.looks(totals)
  const waiting = looks.next(10)
  looks.end()
  expect(await waiting).toBeUndefined()
  expect(await looks.next(10)).toBeUndefined()
  await vi.advanceTimersByTimeAsync(100)
  expect(generations).not.toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
})
