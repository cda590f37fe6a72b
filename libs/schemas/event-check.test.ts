import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createUpcasterChain, defineUpcaster } from '#domain'

import { eventCheckOf } from './event-check.ts'
import { loadCatalog } from './schema-catalog.ts'
import { defaulted, record, schemaFiles } from './testing/schema-files.ts'

const check = eventCheckOf(loadCatalog(['schemas']))
const purchase = { date: '1997-01-12', cds: 1, amount: '12.00' }

test('data that fits its schema passes, without a registry', () => {
  expect(() => {
    check('customer', 'PurchaseMade', purchase)
  }).not.toThrow()
})

test('a field that does not fit is named', () => {
  expect(() => {
    check('customer', 'PurchaseMade', { ...purchase, cds: 'two' })
  }).toThrow('data.cds: ')
})

test('neither an unknown name nor the schema of a state is an event type', () => {
  for (const name of ['PurchaseMad', 'CustomerState']) {
    expect(() => {
      check('customer', name, purchase)
    }).toThrow(`aggregate type customer has no event type "${name}": it has PurchaseMade.`)
  }
})

describe('the canonical form of data', () => {
  const shipment = { shippedAt: '2024-05-31T09:30:00.000Z', carrier: null }
  const formOf = (data: unknown) => check('order', 'OrderShipped', data).canonical()

  test.each([
    ['keys in another order', { carrier: null, shippedAt: '2024-05-31T09:30:00.000Z' }],
    ['no milliseconds', { ...shipment, shippedAt: '2024-05-31T09:30:00Z' }],
    ['another offset', { ...shipment, shippedAt: '2024-05-31T11:30:00+02:00' }],
    ['a default omitted', { shippedAt: '2024-05-31T09:30:00.000Z' }],
  ])('is the same with %s', (_, data) => {
    expect(formOf(data)).toBe(formOf(shipment))
  })

  test.each([
    ['another time', { ...shipment, shippedAt: '2024-05-31T09:30:00.001Z' }],
    ['another value', { ...shipment, carrier: 'null' }],
  ])('is different with %s', (_, data) => {
    expect(formOf(data)).not.toBe(formOf(shipment))
  })

  test('is the same exactly for data that is stored as the same bytes', () => {
    const type = { type: 'array', items: ['null', 'double', { type: 'map', values: 'bytes' }] }
    const folder = schemaFiles({ 'probe/Seen.v1.avsc': record('probe.Seen', { all: type }) })
    const seen = eventCheckOf(loadCatalog([folder]))
    const map = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('', 'YQ==', 'YWI='), {
      noNullPrototype: true,
    })
    const all = fc.array(fc.oneof(fc.constant(null), fc.constantFrom(0, 1, 0.5), map), { maxLength: 3 })
    fc.assert(
      fc.property(all, all, (a, b) => {
        const [formA, formB] = [a, b].map((each) => seen('probe', 'Seen', { all: each }).canonical())
        expect(formA === formB).toBe(isDeepStrictEqual(a, b))
      }),
    )
  })

  test('exists for recursive records', () => {
    const tree = record('probe.Seen', { leaf: 'int', next: defaulted(['null', 'probe.Seen'], null) })
    const seen = eventCheckOf(loadCatalog([schemaFiles({ 'probe/Seen.v1.avsc': tree })]))
    const form = (data: unknown) => seen('probe', 'Seen', data).canonical()
    expect(form({ leaf: 1, next: { leaf: 2, next: null } })).toBe(form({ next: { leaf: 2 }, leaf: 1 }))
    expect(form({ leaf: 1, next: { leaf: 2 } })).not.toBe(form({ leaf: 1 }))
  })

  test('does not change when a release adds a field with a default', () => {
    const v1 = record('probe.Seen', { n: 'int' })
    const v2 = record('probe.Seen', { n: 'int', note: defaulted(['null', 'string'], null) })
    const before = eventCheckOf(loadCatalog([schemaFiles({ 'probe/Seen.v1.avsc': v1 })]))
    const files = schemaFiles({ 'probe/Seen.v1.avsc': v1, 'probe/Seen.v2.avsc': v2 })
    const after = eventCheckOf(loadCatalog([files]))
    expect(after('probe', 'Seen', { n: 1 }).canonical()).toBe(before('probe', 'Seen', { n: 1 }).canonical())
  })
})

describe('data of an older schema version', () => {
  const orderPlacedToV2 = defineUpcaster<{ customer: string; placedAt: string }, object>({
    ...{ aggregateType: 'order', eventType: 'OrderPlaced', fromVersion: 1 },
    upcast: ({ customer, placedAt }) => ({ customerId: customer, placedAt, currency: 'EUR' }),
  })
  const upcasting = eventCheckOf(loadCatalog(['schemas']), createUpcasterChain([orderPlacedToV2]))
  const old = { customer: 'c-1', placedAt: '2024-05-31T09:30:00.000Z' }

  test('is converted to the latest, and keeps the form that it had before the release', () => {
    const checked = upcasting('order', 'OrderPlaced', old, 1)
    expect(checked.data).toEqual({ customerId: 'c-1', placedAt: old.placedAt, currency: 'EUR' })
    const folder = schemaFiles({
      'order/OrderPlaced.v1.avsc': readFileSync('schemas/order/OrderPlaced.v1.avsc', 'utf8'),
    })
    const before = eventCheckOf(loadCatalog([folder]))('order', 'OrderPlaced', old)
    expect(checked.canonical()).toBe(before.canonical())
  })

  test('is rejected without its version, and when it does not fit that version', () => {
    expect(() => upcasting('order', 'OrderPlaced', old)).toThrow('data.customerId: missing')
    expect(() => upcasting('order', 'OrderPlaced', { ...old, customer: 1 }, 1)).toThrow('data.customer: ')
    expect(() => upcasting('order', 'OrderPlaced', old, 3)).toThrow(
      'order.OrderPlaced has no schema version 3: it has 1, 2',
    )
  })

  test('that an upcaster breaks is rejected', () => {
    const spoiling = createUpcasterChain([{ ...orderPlacedToV2, upcast: () => ({ customerId: 'c-1' }) }])
    const check = eventCheckOf(loadCatalog(['schemas']), spoiling)
    expect(() => check('order', 'OrderPlaced', old, 1)).toThrow('data.placedAt: missing')
  })
})

test('an unknown field is reported with the known version, and with the hint that new schemas need a restart', () => {
  const data = { ...purchase, currency: 'EUR' }
  expect(() => {
    check('customer', 'PurchaseMade', data)
  }).toThrow(
    /^data\.currency: unknown field: expected only .*\. customer\/PurchaseMade\.v1\.avsc is the newest version that this process knows, .*restart it/,
  )
})
