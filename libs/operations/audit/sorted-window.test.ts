import fc from 'fast-check'
import { expect, test } from 'vitest'

import { SortedWindow } from './sorted-window.ts'

const through = (items: readonly number[], itemsMax: number): number[] => {
  const window = new SortedWindow<number>(itemsMax, (item) => Math.floor(item))
  return [...items.flatMap((item) => window.add(item)), ...window.rest()]
}

test('all items come out once, in order if none is late by more than the window can hold', () => {
  const items = fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 60 })
  fc.assert(
    fc.property(items, (given) => {
      expect(through(given, 100)).toEqual(given.toSorted((a, b) => a - b))
      expect(through(given, 4).toSorted((a, b) => a - b)).toEqual(given.toSorted((a, b) => a - b))
    }),
  )
})

test('an item that is late by half of the window is put in its place', () => {
  const items = Array.from({ length: 1_000 }, (_, index) => index)
  const [late] = items.splice(500, 1)
  items.splice(504, 0, late ?? 0)
  expect(through(items, 10)).toEqual(Array.from({ length: 1_000 }, (_, index) => index))
})

test('equal items keep their order', () => {
  expect(through([1.1, 1.2, 0.5, 1.3], 10)).toEqual([0.5, 1.1, 1.2, 1.3])
})
