import { describe, expect, test } from 'vitest'

import { type EventId, newEventId, type RecordedEvent, streamIdOf } from '#domain'

import { Mapping } from './mapping.ts'

const spec = {
  stream: 'order.{shop}/{number}',
  type: 'Order{what}',
  id: '{key}',
  metadata: { userId: '{clerk}' },
  data: {
    total: { column: 'total', type: 'decimal', scale: 2 },
    note: { column: 'note', empty: 'omit' },
    paid: { column: 'paid', type: 'date', empty: 'null' },
    currency: { constant: 'EUR' },
  },
}
const row = (changes: Record<string, string> = {}) =>
  new Map(
    Object.entries({
      ...{ shop: '7', number: '42', what: 'Placed', key: 'k', clerk: 'c', total: '1', note: '', paid: '' },
      ...changes,
    }),
  )
const mapping = new Mapping(spec, 'm.json')

describe('a mapping', () => {
  test('makes an event of a row', () => {
    expect(mapping.draftOf(row())).toEqual({
      streamId: 'order.7/42',
      type: 'OrderPlaced',
      key: 'k',
      metadata: { userId: 'c' },
      data: { total: '1.00', paid: null, currency: 'EUR' },
    })
  })

  test('names the field and the column that does not fit', () => {
    expect(() => mapping.draftOf(row({ total: 'x' }))).toThrow(
      'column total has "x": expected a decimal such as 12.34',
    )
    expect(() => mapping.draftOf(row({ number: '' }))).toThrow('column number is empty: streamId needs it')
    expect(() => mapping.draftOf(row({ number: 'a b' }))).toThrow('aggregate id "7/a b" is malformed')
  })

  test('knows its columns, and where it uses each first', () => {
    expect([...mapping.columnsUsed].slice(0, 5)).toEqual([
      ['shop', 'stream'],
      ['number', 'stream'],
      ['what', 'type'],
      ['key', 'id'],
      ['clerk', 'metadata.userId'],
    ])
  })

  test('makes the row again of which an event came', () => {
    const { key, ...draft } = mapping.draftOf(row({ key: newEventId(), paid: '2026-01-31' }))
    const event = { metadata: {}, ...draft, id: key as EventId }
    expect(mapping.rowOf(event)).toEqual(row({ key: key ?? '', total: '1.00', paid: '2026-01-31' }))
  })

  test.each([
    ['another type', { type: 'Cancelled' }],
    ['another stream', { streamId: streamIdOf('order', '42') }],
    ['a field that has no column', { data: { total: '1.00', paid: null, currency: 'EUR', more: 1 } }],
    ['another constant', { data: { total: '1.00', paid: null, currency: 'USD' } }],
  ])('has no row for %s', (_, changes) => {
    const { key, ...draft } = mapping.draftOf(row({ key: newEventId() }))
    const event = { metadata: {}, ...draft, id: key, ...changes } as RecordedEvent
    expect(() => mapping.rowOf(event)).toThrow('m.json has no row for ')
  })
})

test.each([
  [{}, 'm.json: stream: expected required property'],
  [{ ...spec, streem: 'x' }, 'm.json: streem: unexpected property'],
  [
    { ...spec, data: { total: 'total' } },
    'm.json: data.total: expected an object with a column or a constant',
  ],
  [
    { ...spec, data: { total: { column: 'total', typ: 'integer' } } },
    'm.json: data.total.typ: unexpected property',
  ],
  [
    { ...spec, data: { total: { column: 'total', type: 'money' } } },
    'm.json: data.total.type: expected one of text',
  ],
  [
    { ...spec, data: { total: { column: 'total', type: 'decimal', scale: -1 } } },
    'm.json: data.total.scale: ',
  ],
  [{ ...spec, header: false }, 'm.json: columns: missing'],
])('%j is no mapping', (json, told) => {
  expect(() => new Mapping(json, 'm.json')).toThrow(told)
})
