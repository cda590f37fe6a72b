import { expect, test } from 'vitest'

import { eventCheckOf } from './event-check.ts'
import { loadCatalog } from './schema-catalog.ts'

const check = eventCheckOf(loadCatalog(['schemas']))
const purchase = { date: '1997-01-12', cds: 1, amount: '12.00' }

test('data that fits its schema passes, and without a registry', () => {
  expect(() => {
    check('customer', 'PurchaseMade', purchase)
  }).not.toThrow()
})

test('a field that does not fit is named', () => {
  expect(() => {
    check('customer', 'PurchaseMade', { ...purchase, cds: 'two' })
  }).toThrow('data.cds: ')
})

test('neither a name that no schema has, nor the schema of a state, is an event type', () => {
  for (const name of ['PurchaseMad', 'CustomerState']) {
    expect(() => {
      check('customer', name, purchase)
    }).toThrow(`aggregate type customer has no event type "${name}": it has PurchaseMade.`)
  }
})

test('an unknown field tells which version is known, and that a change of schemas needs a restart', () => {
  const data = { ...purchase, currency: 'EUR' }
  expect(() => {
    check('customer', 'PurchaseMade', data)
  }).toThrow(
    /^data\.currency: unknown field: expected only .*\. customer\/PurchaseMade\.v1\.avsc, as it was when this process started, .*restart it/,
  )
})
