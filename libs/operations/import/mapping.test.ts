import { describe, expect, test } from 'vitest'

import { type EventId, newEventId, type RecordedEvent, streamIdOf } from '#domain'

import { ImportMapping } from './mapping.ts'

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
const mapping = new ImportMapping(spec, 'm.json')

describe('a mapping', () => {
  test('converts a row to an event', () => {
    expect(mapping.draftOf(row())).toEqual({
      streamId: 'order.7/42',
      type: 'OrderPlaced',
      key: 'k',
      metadata: { userId: 'c' },
      data: { total: '1.00', paid: null, currency: 'EUR' },
    })
  })

  test('names the field and the column of an invalid value', () => {
    expect(() => mapping.draftOf(row({ total: 'x' }))).toThrow(
      'column total has "x": expected a decimal such as 12.34',
    )
    expect(() => mapping.draftOf(row({ number: '' }))).toThrow('column number is empty: streamId needs it')
    expect(() => mapping.draftOf(row({ number: 'a b' }))).toThrow('aggregate id "7/a b" is malformed')
  })

  test('lists its columns, each with its first use', () => {
    expect([...mapping.columnsUsed].slice(0, 5)).toEqual([
      ['shop', 'stream'],
      ['number', 'stream'],
      ['what', 'type'],
      ['key', 'id'],
      ['clerk', 'metadata.userId'],
    ])
  })

  test('converts an event back to its row', () => {
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

describe('a mapping with several event types', () => {
  const several = new ImportMapping(
    {
      stream: 'order.{number}',
      type: [
        { when: { status: ['X', 'C'], kind: 'web' }, type: 'WebOrderCancelled', data: {} },
        { when: { status: ['X', 'C'] }, type: 'OrderCancelled', data: { why: { column: 'why' } } },
        { when: { status: 'P' }, type: 'OrderPlaced' },
      ],
      data: { total: { column: 'total', type: 'integer' } },
    },
    'm.json',
  )
  const line = (changes: Record<string, string>) =>
    new Map(Object.entries({ number: '1', kind: '', why: '', total: '', ...changes }))

  test.each([
    [{ status: 'C', kind: 'web' }, 'WebOrderCancelled', {}],
    [{ status: 'C', why: 'late' }, 'OrderCancelled', { why: 'late' }],
    [{ status: 'P', total: '7' }, 'OrderPlaced', { total: 7 }],
  ])('uses the first case whose columns match: %j is %s', (changes, type, data) => {
    expect(several.draftOf(line(changes))).toEqual({ streamId: 'order.1', type, data })
  })

  test('rejects a row that matches no case, and names its values', () => {
    expect(() => several.draftOf(line({ status: 'Z' }))).toThrow(
      'no case of the event type matches status "Z", kind ""',
    )
  })

  test('converts an event of each case back to its row', () => {
    for (const changes of [
      { status: 'X', why: 'late' },
      { status: 'P', total: '7' },
    ]) {
      const event = { metadata: {}, id: newEventId(), ...several.draftOf(line(changes)) } as RecordedEvent
      expect(several.draftOf(several.rowOf(event))).toMatchObject({ type: event.type, data: event.data })
    }
    const other = { metadata: {}, id: newEventId(), ...several.draftOf(line({ status: 'P', total: '7' })) }
    expect(() => several.rowOf({ ...other, type: 'OrderShipped' })).toThrow('no row for OrderShipped')
  })
})

describe('a value of a mapping', () => {
  const valuesOf = (changes: object, columns: Record<string, string>) =>
    new ImportMapping({ stream: 's.1', type: 'T', ...changes }, 'm.json').draftOf(
      new Map(Object.entries(columns)),
    )

  test('is null if its column has a null marker of the field or of the mapping', () => {
    const data = {
      a: { column: 'a', type: 'integer' },
      b: { column: 'b' },
      c: { column: 'c', empty: 'omit' },
      d: { column: 'd', nullMarkers: ['-'] },
    }
    const spec = { nullMarkers: ['NA', ''], data }
    expect(valuesOf(spec, { a: 'NA', b: '', c: 'NA', d: 'NA' }).data).toEqual({ a: null, b: null, d: 'NA' })
    expect(valuesOf(spec, { a: '1', b: 'N', c: 'x', d: '-' }).data).toEqual({ a: 1, b: 'N', c: 'x', d: null })
  })

  test('must not be a null marker in the stream id, and is omitted from metadata if it is one', () => {
    const spec = { nullMarkers: ['NA'], stream: 's.{a}', metadata: { userId: '{b}' }, data: {} }
    expect(valuesOf(spec, { a: '1', b: 'NA' }).metadata).toEqual({})
    expect(() => valuesOf(spec, { a: 'NA', b: 'u' })).toThrow('column a has the null marker "NA": streamId')
  })

  test('can come from several columns', () => {
    const day = { template: '{y}-{m}-{d}', type: 'date', format: 'YYYY-M-D', empty: 'null' }
    const dayOf = (y: string, m: string, d: string) => valuesOf({ data: { day } }, { y, m, d }).data
    expect(dayOf('1997', '1', '12')).toEqual({ day: '1997-01-12' })
    expect(dayOf('', '', '')).toEqual({ day: null })
    expect(() => dayOf('1997', '2', '30')).toThrow(
      'columns y, m, d give "1997-2-30": expected a date as YYYY-M-D',
    )
    expect(() => dayOf('1997', '', '12')).toThrow('columns y, m, d give "1997--12"')
  })

  test('is written back to a row: null as a marker, a date to its columns', () => {
    const day = { template: '{y}/{m}/{d}', type: 'date', format: 'YYYY/M/D' }
    const data = { day, note: { column: 'note' } }
    const both = new ImportMapping({ stream: 's.1', type: 'T', nullMarkers: ['NA'], data }, 'm.json')
    const event = { id: newEventId(), streamId: streamIdOf('s', '1'), type: 'T', metadata: {} }
    const rowFor = (values: object) => Object.fromEntries(both.rowOf({ ...event, data: values }))
    expect(rowFor({ day: '1997-01-12', note: null })).toEqual({ y: '1997', m: '1', d: '12', note: 'NA' })
    expect(() => rowFor({ day: '1997-01-12', note: 'NA' })).toThrow('m.json has no row for T of s.1')
  })

  test('can be a constant in every part of the event; a text before the id is its prefix', () => {
    const data = { currency: { constant: 'EUR' }, tags: { constant: ['a', { b: null }] } }
    const spec = { id: 'till-7/{no}', metadata: { source: 'till 7' }, schemaVersion: 1, data }
    expect(valuesOf(spec, { no: '42' })).toEqual({
      ...{ streamId: 's.1', type: 'T', key: 'till-7/42', schemaVersion: 1, metadata: { source: 'till 7' } },
      data: { currency: 'EUR', tags: ['a', { b: null }] },
    })
  })

  test('can be the schema version', () => {
    const spec = { schemaVersion: '{v}', data: {} }
    expect(valuesOf(spec, { v: '2' }).schemaVersion).toBe(2)
    expect(() => valuesOf(spec, { v: 'two' })).toThrow(
      'schemaVersion is "two": expected a whole number from 1',
    )
  })
})

test.each([
  [{}, 'm.json: stream: expected required property'],
  [{ ...spec, streem: 'x' }, 'm.json: streem: unexpected property'],
  [
    { ...spec, data: { total: 'total' } },
    'm.json: data.total: expected an object with a column, a template or a constant',
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
  [{ ...spec, encoding: 'klingon' }, 'm.json: encoding: "klingon" is unknown'],
  [{ ...spec, schemaVersion: 0 }, 'm.json: schemaVersion: '],
  [{ ...spec, type: [] }, 'm.json: type: '],
  [{ ...spec, type: [{ when: {}, type: 'T' }] }, 'm.json: type.0.when: '],
  [{ ...spec, type: [{ type: 'T' }, { type: 'U' }] }, 'm.json: type.0.when: missing: only the last case'],
  [{ ...spec, data: undefined }, 'm.json: data: '],
  [{ ...spec, data: { a: { column: 'a', template: '{a}' } } }, 'm.json: data.a: expected an object with a'],
])('%j is not a mapping', (json, message) => {
  expect(() => new ImportMapping(json, 'm.json')).toThrow(message)
})
