import fc from 'fast-check'
import { expect, test } from 'vitest'

import { RecordCodec } from '../record-codec.ts'
import { schemaVersionOf } from '../schema-version.ts'
import { Observed, proposeSchema } from './index.ts'

function propose(samples: readonly object[]) {
  const data = new Observed()
  for (const sample of samples) data.add(sample)
  return proposeSchema('order', 'Placed', data)
}

const place = { file: 'order/Placed.v1.avsc', aggregateType: 'order', name: 'Placed', version: 1 }

const codecOf = (samples: readonly object[]): RecordCodec =>
  new RecordCodec(schemaVersionOf(place, propose(samples).schema))

const names = fc.constantFrom('id', 'total', 'lines', 'note', 'a_b', 'Name')
const texts = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('2024-05-31', '2023-02-30', '2024-05-31T09:30:00Z', '2024-05-31T09:30:00.123456+02:00'),
  fc.constantFrom('12.50', '-0.01', '-0.00', '100.5', '7', '9007199254740993', 'EUR', 'constructor'),
  fc.uuid(),
)
const numbers = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const { value: values } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    numbers,
    texts,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4 }),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 3 }),
  ),
}))
const samples = fc.array(fc.dictionary(names, values), { minLength: 1, maxLength: 12 })

test('the proposal is a sound schema that accepts every sample', () => {
  fc.assert(
    fc.property(samples, (all) => {
      // Keys that no store accepts are not part of the schema.
      fc.pre(!JSON.stringify(all).includes('"__proto__"'))
      const codec = codecOf(all)
      for (const sample of all) codec.encode(0, sample)
    }),
    { numRuns: 500 },
  )
})

/** The type that is inferred for a field with these values; undefined stands for a missing field. */
const guessed = (...given: readonly unknown[]) => {
  const [field] = propose(given.map((value) => (value === undefined ? {} : { value }))).fields
  return field === undefined ? undefined : [field.type, field.isNullable]
}

test.each<[string, readonly unknown[], string, boolean]>([
  ['whole numbers of 32 bits', [1, -5, 2_147_483_647], 'int', false],
  ['whole numbers', [1, 2_147_483_648], 'long', false],
  ['whole numbers, some beyond 2^53', [1, '9007199254740993'], 'long', false],
  ['other numbers', [1, 0.5], 'double', false],
  ['booleans', [true, false], 'boolean', false],
  ['dates', ['2024-05-31', '1999-01-01'], 'date', false],
  ['dates and an impossible date', ['2024-05-31', '2023-02-30'], 'string', false],
  ['times', ['2024-05-31T09:30:00Z', '2024-05-31T09:30:00.123+02:00'], 'timestamp-millis', false],
  ['finer times', ['2024-05-31T09:30:00Z', '2024-05-31T09:30:00.123456Z'], 'timestamp-micros', false],
  ['UUIDs', ['018dead5-0000-7000-8000-000000000001'], 'uuid', false],
  ['decimals of one scale', ['12.50', '-1000.00'], 'decimal(10, 2)', false],
  ['decimals of several scales', ['12.50', '1.5'], 'string', false],
  [
    'few distinct texts that repeat often',
    Array.from({ length: 30 }, (_, n) => 'ABC'[n % 3]),
    'enum of A, B, C',
    false,
  ],
  ['few distinct texts that rarely repeat', ['A', 'B', 'A'], 'string', false],
  ['texts that are not names', Array.from({ length: 30 }, (_, n) => ['a b', 'c'][n % 2]), 'string', false],
  ['names of Object.prototype', Array.from({ length: 30 }, () => 'constructor'), 'string', false],
  ['sometimes null', ['a b', null], 'string', true],
  ['sometimes missing', [undefined, 7], 'int', true],
  ['only null', [null, null], 'string', true],
  ['numbers and texts', [1, 'a'], 'int or string', false],
  ['a date or a number', ['2024-05-31', 1], 'int or string', false],
  ['lists', [[1, null], []], 'list of int or null', false],
  ['empty lists', [[], []], 'list of string', false],
  ['records', [{ a: 1 }, { a: 2, b: true }], 'record', false],
  ['maps', [{ 'a b': 1 }, { 'c-d': 2 }], 'map of int', false],
  ['very many names', Array.from({ length: 100 }, (_, n) => ({ [`sku${n}`]: 1 })), 'map of int', false],
])('%s', (_, given, type, isNullable) => {
  expect(guessed(...given)).toEqual([type, isNullable])
})

test('explains where each type comes from', () => {
  const { fields } = propose([{ id: 7, lines: [{ sku: 'a', price: '1.50' }, { sku: 'b' }] }, { id: null }])
  expect(fields).toEqual([
    { path: 'id', type: 'int', isNullable: true, values: 2, nulls: 1, absent: 0 },
    { path: 'lines', type: 'list of record', isNullable: true, values: 1, nulls: 0, absent: 1 },
    { path: 'lines[].sku', type: 'string', isNullable: false, values: 2, nulls: 0, absent: 0 },
    { path: 'lines[].price', type: 'decimal(7, 2)', isNullable: true, values: 1, nulls: 0, absent: 1 },
  ])
})

test('nested records have names of their own', () => {
  const { schema } = propose([{ a: { b_c: { x: 1 } }, aB: { c: { x: 1 } } }])
  const found = [...JSON.stringify(schema).matchAll(/"type":"record","name":"(\w+)"/g)].map(
    ([, name]) => name,
  )
  expect(new Set(found).size).toBe(found.length)
})
