import fc from 'fast-check'
import { expect, test } from 'vitest'

import { type EventId, newEventId, type Version } from '#domain'
import type { EventPlace } from '#redis-index'

import { IdWindow } from './id-window.ts'
import { MemoryBudget } from './memory-budget.ts'

const place = (offset: number): EventPlace => ({ version: (1 + (offset % 7)) as Version, offset })
const add = (window: IdWindow, id: EventId, offset: number) => {
  window.add(id, place(offset).version, offset)
}
const unlimited = () => new MemoryBudget(Infinity)

/** Few different ids, so that most have several places. */
const ids = Array.from({ length: 40 }, newEventId)

test('a window returns the places of each id among its latest entries, the latest first', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.nat({ max: ids.length - 1 }), { maxLength: 300 }),
      (idsMax, added) => {
        const window = new IdWindow(idsMax, unlimited())
        const kept: { id: EventId; place: EventPlace }[] = []
        for (const [offset, index] of added.entries()) {
          const id = ids[index] as EventId
          add(window, id, offset)
          kept.push({ id, place: place(offset) })
          if (kept.length > idsMax) kept.shift()
          expect(window.places(id)).toEqual(
            kept
              .filter((entry) => entry.id === id)
              .map((entry) => entry.place)
              .reverse(),
          )
        }
        for (const id of ids) {
          expect(window.places(id)).toEqual(
            kept
              .filter((entry) => entry.id === id)
              .map((entry) => entry.place)
              .reverse(),
          )
        }
        expect(window.size).toBe(kept.length)
      },
    ),
  )
})

test('a window grows to its full size, and then forgets the oldest ids', () => {
  const window = new IdWindow(10_000, unlimited())
  const all = Array.from({ length: 25_000 }, newEventId)
  for (const [offset, id] of all.entries()) add(window, id, offset)
  expect(window.size).toBe(10_000)
  for (const [offset, id] of all.entries()) {
    expect(window.places(id)).toEqual(offset < 15_000 ? [] : [place(offset)])
  }
})

test('a window of 300,000 ids takes at most 14 MB', () => {
  const budget = unlimited()
  const window = new IdWindow(300_000, budget)
  for (let offset = 0; offset < 70_000; offset++) add(window, newEventId(), offset)
  expect(budget.bytes).toBeLessThan(14e6)
  window.close()
  expect(budget.bytes).toBe(0)
})

test('a closed window holds no ids, because streams of a former owner may still refer to it', () => {
  const window = new IdWindow(300_000, unlimited())
  const id = newEventId()
  add(window, id, 7)
  expect(window.places(id)).toEqual([place(7)])
  window.close()
  expect([window.size, window.places(id)]).toEqual([0, []])
})

test('when the budget is used up, windows keep their size and forget the oldest ids', () => {
  const budget = new MemoryBudget(1_000_000)
  const [first, second] = [new IdWindow(300_000, budget), new IdWindow(300_000, budget)]
  const all = Array.from({ length: 30_000 }, newEventId)
  for (const window of [first, second]) for (const [offset, id] of all.entries()) add(window, id, offset)
  expect(budget.bytes).toBeLessThanOrEqual(1_000_000)
  for (const window of [first, second]) {
    expect(window.size).toBeGreaterThanOrEqual(1_024)
    expect(window.size).toBeLessThan(30_000)
    const oldest = all.length - window.size
    expect(window.places(all[oldest] as EventId)).toEqual([place(oldest)])
    expect(window.places(all[oldest - 1] as EventId)).toEqual([])
  }
  first.close()
  second.close()
  expect(budget.bytes).toBe(0)
})

test('an id in many streams does not slow down other ids', () => {
  const window = new IdWindow(50_000, unlimited())
  const shared = newEventId()
  for (let offset = 0; offset < 50_000; offset++) add(window, shared, offset)
  expect(window.places(shared)).toHaveLength(50_000)
  expect(window.places(newEventId())).toEqual([])
})
