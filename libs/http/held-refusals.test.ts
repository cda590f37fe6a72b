import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { HeldRefusals } from './held-refusals.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const atOnce = { queue: (task: () => void) => task() }

/** Rejects `count` callers. @returns the callers that have got their rejection, in order */
function refuse(refusals: HeldRefusals, count: number): number[] {
  const sent: number[] = []
  for (let n = 0; n < count; n++) refusals.send(() => sent.push(n))
  return sent
}

test('a few rejections of each second are sent at once, further ones later, each once', () => {
  const refusals = new HeldRefusals({ promptMax: 2, heldMs: 4_000, heldMax: 100 }, atOnce)
  const sent = refuse(refusals, 5)
  expect(sent).toEqual([0, 1])
  vi.advanceTimersByTime(3_999)
  expect(sent).toEqual([0, 1])
  vi.advanceTimersByTime(1)
  expect(sent).toEqual([0, 1, 2, 3, 4])
  vi.advanceTimersByTime(60_000)
  expect(sent).toHaveLength(5)
})

test('each second has its own budget', () => {
  const refusals = new HeldRefusals({ promptMax: 2, heldMs: 4_000, heldMax: 100 }, atOnce)
  expect(refuse(refusals, 3)).toHaveLength(2)
  vi.advanceTimersByTime(1_000)
  expect(refuse(refusals, 3)).toHaveLength(2)
})

test('when the server closes, all rejections are sent and none is held any more', () => {
  const refusals = new HeldRefusals({ promptMax: 1, heldMs: 4_000, heldMax: 100 }, atOnce)
  const sent = refuse(refusals, 3)
  refusals.close()
  expect(sent).toEqual([0, 1, 2])
  expect(refuse(refusals, 3)).toEqual([0, 1, 2])
  vi.advanceTimersByTime(60_000)
  expect(sent).toHaveLength(3)
})

test('a bounded number is held; a further rejection is sent at once', () => {
  const refusals = new HeldRefusals({ promptMax: 0, heldMs: 4_000, heldMax: 2 }, atOnce)
  const sent = refuse(refusals, 5)
  expect(sent).toEqual([2, 3, 4])
  vi.advanceTimersByTime(4_000)
  expect(sent).toEqual([2, 3, 4, 0, 1])
})
