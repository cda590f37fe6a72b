import { expect, test } from 'vitest'

import { nearestNames, suggestion, unknownName } from './nearest-names.ts'

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

test('an unknown name is reported with similar names, or with all known names', () => {
  expect(unknownName('event type', ['PurchaseMade', 'PurchaseMad'], known)).toBe(
    'there is no event type "PurchaseMad"; did you mean PurchaseMade?',
  )
  expect(unknownName('event type', ['X'], known)).toBe(
    'there is no event type "X": expected one of PurchaseMade, PurchaseCancelled, CustomerMoved',
  )
  expect(unknownName('event type', ['X'], [])).toBe('there is no event type "X": there are none')
  expect(unknownName('event type', ['PurchaseMade'], known)).toBeUndefined()
})

test('long lists and long names are cut', () => {
  const many = Array.from({ length: 500 }, (_, index) => `Type${index}Happened`)
  expect(suggestion('x'.repeat(100_000), many).length).toBeLessThan(600)
})
