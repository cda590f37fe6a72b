import { expect, test } from 'vitest'

import { instead, nearestNames, unknownName } from './nearest-names.ts'

const known = ['PurchaseMade', 'PurchaseCancelled', 'CustomerMoved']

test.each([
  ['PurchaseMad', ['PurchaseMade']],
  ['purchasemade', ['PurchaseMade']],
  ['PurchsaeMade', ['PurchaseMade']],
  ['OrderPlaced', []],
  ['', []],
])('%j may mean %j', (name, nearest) => {
  expect(nearestNames(name, known)).toEqual(nearest)
})

test('an unknown name is answered with the nearest, or with what there is', () => {
  expect(unknownName('event type', ['PurchaseMade', 'PurchaseMad'], known)).toBe(
    'there is no event type "PurchaseMad"; did you mean PurchaseMade?',
  )
  expect(unknownName('event type', ['X'], known)).toBe(
    'there is no event type "X": there are PurchaseMade, PurchaseCancelled, CustomerMoved',
  )
  expect(unknownName('event type', ['X'], [])).toBe('there is no event type "X": there are none')
  expect(unknownName('event type', ['PurchaseMade'], known)).toBeUndefined()
})

test('a long list and a long name stay short', () => {
  const many = Array.from({ length: 500 }, (_, index) => `Type${index}Happened`)
  expect(instead('x'.repeat(100_000), many).length).toBeLessThan(600)
})
