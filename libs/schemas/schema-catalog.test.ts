import { describe, expect, test } from 'vitest'

import { loadCatalog } from './schema-catalog.ts'
import { SchemaError } from './schema-error.ts'
import { record, schemaFiles } from './testing/schema-files.ts'

const placed = (namespace = 'order', rest: object = {}): object =>
  record(`${namespace}.OrderPlaced`, { at: 'long' }, rest)

/** The error from loading these files, without the folder. */
function fault(files: Readonly<Record<string, unknown>>): string {
  const folder = schemaFiles(files)
  try {
    loadCatalog([folder])
  } catch (error) {
    if (error instanceof SchemaError) return error.message.replaceAll(`${folder}/`, '')
    throw error
  }
  return 'accepted'
}

describe('a catalog', () => {
  test('has types, names, versions and lines of all folders', () => {
    const first = schemaFiles({
      'order/OrderPlaced.v1.avsc': placed(),
      'order/OrderPlaced.v2.avsc': placed('order', { doc: 'more' }),
      'order/OrderPlaced.v3.avsc': placed('order.v3'),
      'order/notes.md': 'not a schema',
      'samples/order/OrderPlaced.v1.json': {},
    })
    const second = schemaFiles({
      'customer/State.v1.avsc': record('customer.State', {}, { role: 'snapshot' }),
    })
    const catalog = loadCatalog([first, second])
    expect(catalog.aggregateTypes).toEqual(['customer', 'order'])
    expect(catalog.names('order')).toEqual(['OrderPlaced'])
    expect(catalog.versions('order', 'OrderPlaced').map(({ version }) => version)).toEqual([1, 2, 3])
    expect(catalog.latest('order', 'OrderPlaced')?.fullName).toBe('order.v3.OrderPlaced')
    expect(catalog.line('order.OrderPlaced').map(({ version }) => version)).toEqual([1, 2])
    expect(catalog.latest('order', 'Other')).toBeUndefined()
    expect(catalog.line('other.Name')).toEqual([])
    expect(catalog.latest('order', 'OrderPlaced')?.subject).toBe('eventstore.order-order.v3.OrderPlaced')
    expect(catalog.latest('customer', 'State')?.subject).toBe('snapshots.customer-customer.State')
  })

  test('is empty without files', () => {
    expect(loadCatalog([schemaFiles({ 'order/readme.md': '' })]).all).toEqual([])
  })

  test('a missing folder is named', () => {
    expect(() => loadCatalog(['/no/such/folder'])).toThrow('schema folder /no/such/folder does not exist')
  })
})

describe('a malformed file is reported, with its fault', () => {
  test.each([
    [
      'order/OrderPlaced.avsc',
      placed(),
      'the file name is not <EventName>.v<N>.avsc, e.g. OrderPlaced.v1.avsc',
    ],
    ['order/OrderPlaced.v1.avsc', '{', 'not JSON: '],
    ['order/OrderPlaced.v1.avsc', '[]', 'expected a JSON object that describes an Avro record'],
    [
      'order/OrderPlaced.v1.avsc',
      { type: 'record', name: 'X' },
      'not a sound Avro schema: non-array record fields',
    ],
    ['order/OrderPlaced.v1.avsc', { type: 'int' }, 'expected a record with name OrderPlaced and a namespace'],
    ['order/OrderPlaced.v1.avsc', record('order.Other', {}), 'expected a record with name OrderPlaced'],
    ['order/OrderPlaced.v1.avsc', { type: 'record', name: 'OrderPlaced', fields: [] }, 'and a namespace'],
    ['order/OrderPlaced.v1.avsc', placed('order', { role: 'state' }), 'role "state" is not known'],
    ['order/OrderPlaced.v2.avsc', placed(), 'version 1 is missing: versions are 1, 2, 3 … without a gap'],
  ])('%s', (file, content, message) => {
    expect(fault({ [file]: content })).toContain(`${file}: `)
    expect(fault({ [file]: content })).toContain(message)
  })

  test('a folder that is not an aggregate type', () => {
    expect(fault({ 'Order/OrderPlaced.v1.avsc': placed() })).toContain(
      'folder Order: aggregate type "Order" is malformed',
    )
  })

  test('two aggregate types that share a full name', () => {
    expect(fault({ 'a/OrderPlaced.v1.avsc': placed(), 'b-c/OrderPlaced.v1.avsc': placed() })).toBe(
      'b-c/OrderPlaced.v1.avsc: its full name order.OrderPlaced is used by a/OrderPlaced.v1.avsc: give it another namespace, e.g. b_c',
    )
  })

  test('a version that returns to an earlier full name', () => {
    const files = {
      'order/OrderPlaced.v1.avsc': placed(),
      'order/OrderPlaced.v2.avsc': placed('order.v2'),
      'order/OrderPlaced.v3.avsc': placed(),
    }
    expect(fault(files)).toContain('give it another namespace, e.g. order.v3')
  })

  test('versions of different roles', () => {
    const files = {
      'order/OrderPlaced.v1.avsc': placed(),
      'order/OrderPlaced.v2.avsc': placed('order', { role: 'snapshot' }),
    }
    expect(fault(files)).toContain('its role is snapshot, but that of order/OrderPlaced.v1.avsc is event')
  })

  test('one version in two folders', () => {
    const files = { 'order/OrderPlaced.v1.avsc': placed() }
    expect(() => loadCatalog([schemaFiles(files), schemaFiles(files)])).toThrow('version 1 is also in')
  })
})
