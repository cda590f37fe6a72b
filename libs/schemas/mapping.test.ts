import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { avroTypeOf } from './avro-type.ts'
import { mappingOf } from './mapping.ts'
import { Mismatch } from './mismatch.ts'
import { shapeOf } from './shape.ts'
import { recordCases } from './testing/arbitrary-schema.ts'

/** Converts JSON to Avro's bytes and back. */
function roundTrip(schema: unknown): (json: unknown) => unknown {
  const type = avroTypeOf(schema)
  const mapping = mappingOf(shapeOf(schema))
  return (json) => mapping.fromAvro(type.fromBuffer(type.toBuffer(mapping.toAvro(json))))
}

/** The `path: message` of the mismatch. */
function complaint(schema: unknown, json: unknown): string {
  try {
    mappingOf(shapeOf(schema)).toAvro(json)
  } catch (error) {
    if (error instanceof Mismatch) return `${error.path}: ${error.message}`
    throw error
  }
  return 'accepted'
}

const record = (...fields: object[]): object => ({ type: 'record', name: 'test.Event', fields })
const field = (type: unknown): object => record({ name: 'a', type })

test('every value that fits its schema survives encoding and decoding', () => {
  fc.assert(
    fc.property(
      recordCases.chain(({ schema, values }) => values.map((json) => ({ schema, json }))),
      ({ schema, json }) => {
        expect(roundTrip(schema)(json)).toStrictEqual(json)
      },
    ),
    { numRuns: 500 },
  )
})

describe('values that do not fit are rejected', () => {
  test.each([
    ['boolean', 1, 'expected true or false, got 1'],
    ['null', 0, 'expected null, got 0'],
    ['int', 1.5, 'expected a whole number of 32 bits, got 1.5'],
    ['int', 2 ** 31, 'expected a whole number of 32 bits, got 2147483648'],
    ['int', '1', 'expected a whole number of 32 bits, got "1"'],
    ['long', 2 ** 53, 'expected a whole number, beyond 2^53 in a string, got 9007199254740992'],
    ['long', '12', 'expected a whole number, beyond 2^53 in a string, got "12"'],
    [
      'long',
      '9223372036854775808',
      'expected a whole number, beyond 2^53 in a string, got "9223372036854775808"',
    ],
    [
      { type: 'long', 'annals.long': 'number' },
      2 ** 53,
      'expected a whole number within 2^53, got 9007199254740992',
    ],
    [
      { type: 'long', 'annals.long': 'number' },
      '9007199254740993',
      'expected a whole number within 2^53, got "9007199254740993"',
    ],
    ['double', 'NaN', 'expected a number, got "NaN"'],
    ['double', Infinity, 'expected a number, got null'],
    ['string', 5, 'expected a string, got 5'],
    ['string', 'half \ud800', String.raw`expected a string, got "half \ud800"`],
    ['bytes', 'not base64!', 'expected bytes in base64, got "not base64!"'],
    ['bytes', [1], 'expected bytes in base64, got [1]'],
    [{ type: 'fixed', name: 'F', size: 2 }, 'AAAA', 'expected 2 bytes in base64, got "AAAA"'],
    [{ type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'C', 'expected one of A, B, got "C"'],
    [
      { type: 'int', logicalType: 'date' },
      '1997-02-29',
      'expected a date such as "2024-05-31", got "1997-02-29"',
    ],
    [{ type: 'int', logicalType: 'date' }, 9873, 'expected a date such as "2024-05-31", got 9873'],
    [
      { type: 'long', logicalType: 'timestamp-millis' },
      '2024-05-31',
      'expected a time such as "2024-05-31T09:30:00.000Z", got "2024-05-31"',
    ],
    [{ type: 'string', logicalType: 'uuid' }, 'x', 'expected a UUID, got "x"'],
    [
      { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 },
      12.5,
      'expected a decimal in a string, at most 12 digits, 2 of them after the point, e.g. "12.34", got 12.5',
    ],
    [
      { type: 'bytes', logicalType: 'decimal', precision: 3 },
      '1234',
      'expected a decimal in a string, at most 3 digits, 0 of them after the point, e.g. "12", got "1234"',
    ],
    [{ type: 'array', items: 'int' }, {}, 'expected an array, got {}'],
    [{ type: 'map', values: 'int' }, [], 'expected an object (a map), got []'],
    [['null', 'int'], 'x', 'expected null or a whole number of 32 bits, got "x"'],
    [{ type: 'record', name: 'R', fields: [] }, 'x', 'expected an object (test.R), got "x"'],
    [{ type: 'record', name: 'R', fields: [] }, null, 'expected an object (test.R), got null'],
  ])('%j does not accept %j', (type, json, message) => {
    expect(complaint(field(type), { a: json })).toBe(`.a: ${message}`)
  })

  test('the path leads through records, arrays, maps and unions to the field', () => {
    const item = { type: 'record', name: 'Item', fields: [{ name: 'price', type: 'int' }] }
    const schema = record({ name: 'items', type: { type: 'array', items: ['null', item] } })
    expect(complaint(schema, { items: [null, { price: 1 }, { price: 'x' }] })).toBe(
      '.items[2].price: expected a whole number of 32 bits, got "x"',
    )
    expect(complaint(field({ type: 'map', values: 'int' }), { a: { 'b c': 'x' } })).toBe(
      '.a["b c"]: expected a whole number of 32 bits, got "x"',
    )
  })

  test('a hole in an array is not skipped', () => {
    expect(complaint(field({ type: 'array', items: 'int' }), { a: [1, , 3] })).toContain('.a[1]: expected')
  })

  test('a key that would change the prototype', () => {
    const map = JSON.parse('{"__proto__": 1}') as unknown
    expect(complaint(field({ type: 'map', values: 'int' }), { a: map })).toBe(
      '.a.__proto__: this key is not allowed in a map',
    )
  })

  test.each(['\ud800', 'a\udfff'])('the key %j, which cannot be encoded in UTF-8', (key) => {
    const path = `.a[${JSON.stringify(key)}]`
    expect(complaint(field({ type: 'map', values: 'int' }), { a: { [key]: 1 } })).toBe(
      `${path}: this key is not allowed in a map`,
    )
  })

  test.each([new Map(), new Date(), new Set(), Buffer.from('a'), Object('a') as unknown])(
    '%o, for a record, a map or both in a union',
    (json) => {
      const empty = { type: 'record', name: 'R', fields: [] }
      const map = { type: 'map', values: 'int' }
      for (const type of [empty, map, ['null', empty, map]]) {
        expect(complaint(field(type), { a: json })).toContain('.a: expected')
      }
    },
  )

  test.each(['float', 'double'])('a %s out of range', (type) => {
    const largest = type === 'float' ? 3.4028234663852886e38 : Number.MAX_VALUE
    for (const json of [largest, -largest]) {
      expect(roundTrip(field(type))({ a: json })).toStrictEqual({ a: json })
    }
    for (const json of [Infinity, -Infinity, NaN, 12n, ...(type === 'float' ? [1e39, -3.4028236e38] : [])]) {
      expect(complaint(field(type), { a: json })).toContain('.a: expected a number')
    }
  })

  test('unknown and missing fields', () => {
    const schema = record({ name: 'a', type: 'int' }, { name: 'b', type: 'string', default: '' })
    expect(complaint(schema, { a: 1, c: 2 })).toBe('.c: unknown field: expected only a, b')
    expect(complaint(schema, { b: '' })).toBe('.a: missing: expected a whole number of 32 bits')
    expect(complaint(schema, { a: 1, b: undefined })).toBe('accepted')
    const lent = record({ name: 'reader', type: 'string' }, { name: 'until', type: 'int' })
    expect(complaint(lent, { until: 1, readr: 'ada' })).toBe(
      '.reader: missing: expected a string; "readr" is not a field: did you mean reader?',
    )
    expect(complaint(lent, { until: 1, other: 'ada' })).toBe('.reader: missing: expected a string')
  })
})

test('undefined members of a map count as omitted', () => {
  const schema = field({ type: 'map', values: 'int' })
  expect(roundTrip(schema)({ a: { b: undefined, c: 1 } })).toStrictEqual({ a: { c: 1 } })
})

test.each(['float', 'double'])('-0 becomes 0 as a %s, because JSON has no other zero', (type) => {
  expect(roundTrip(field(type))({ a: -0 })).toStrictEqual({ a: 0 })
})

describe('fields with a default', () => {
  test('may be omitted, and are filled in', () => {
    const schema = record(
      { name: 'a', type: ['null', 'string'], default: null },
      { name: 'b', type: { type: 'int', logicalType: 'date' }, default: 0 },
      { name: 'c', type: 'long', default: 7 },
    )
    expect(roundTrip(schema)({})).toStrictEqual({ a: null, b: '1970-01-01', c: 7 })
    expect(roundTrip(schema)({ b: '2024-01-01' })).toStrictEqual({ a: null, b: '2024-01-01', c: 7 })
  })
})

describe('unions', () => {
  const cat = { type: 'record', name: 'Cat', fields: [{ name: 'lives', type: 'int' }] }
  const dog = { type: 'record', name: 'Dog', fields: [{ name: 'tricks', type: 'int' }] }

  test.each([
    [
      ['null', 'string', 'int', 'boolean'],
      [null, 'x', 5, true],
    ],
    [
      ['long', 'string', { type: 'array', items: 'int' }],
      [5, '12', '9007199254740993', [1, 2]],
    ],
    [
      [{ type: 'int', logicalType: 'date' }, 'string'],
      ['2024-05-31', 'tomorrow'],
    ],
    [
      ['int', 'double'],
      [5, 5.5],
    ],
    [
      [cat, dog],
      [{ lives: 9 }, { tricks: 3 }],
    ],
  ])('%j keep their values in the form of JSON', (union, values) => {
    for (const value of values) expect(roundTrip(field(union))({ a: value })).toStrictEqual({ a: value })
  })

  test('a value that fits no branch is rejected with all that would fit', () => {
    expect(complaint(field([cat, dog]), { a: { lives: 'x' } })).toBe(
      '.a: expected an object (test.Cat) or an object (test.Dog), got {"lives":"x"}',
    )
    expect(complaint(field(['int', 'string']), { a: { lives: 'x' } })).toContain('.a: expected')
    expect(complaint(field(['int', 'string']), { a: () => 1 })).toContain('.a: expected')
  })
})

test('a recursive record', () => {
  const schema = record(
    { name: 'value', type: 'int' },
    { name: 'next', type: ['null', 'test.Event'], default: null },
  )
  const json = { value: 1, next: { value: 2, next: { value: 3, next: null } } }
  expect(roundTrip(schema)(json)).toStrictEqual(json)
  expect(complaint(schema, { value: 1, next: { value: 'x' } })).toContain('.next.value: expected')
})

test('times with an offset are the same instant in UTC', () => {
  const schema = field({ type: 'long', logicalType: 'timestamp-millis' })
  expect(roundTrip(schema)({ a: '2024-05-31T11:30:00+02:00' })).toEqual({ a: '2024-05-31T09:30:00.000Z' })
})
