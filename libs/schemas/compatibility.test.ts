import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { incompatibilities } from './compatibility.ts'
import { shapeOf } from './shape.ts'
import { recordCases } from './testing/arbitrary-schema.ts'

/** What prevents a field of the first type from reading one of the second. */
function between(reader: unknown, writer: unknown): string[] {
  const schema = (type: unknown): unknown => ({ type: 'record', name: 'R', fields: [{ name: 'a', type }] })
  return incompatibilities(shapeOf(schema(reader)), shapeOf(schema(writer))).map(
    ({ path, message }) => `${path}: ${message}`,
  )
}

const decimal = (precision: number, scale: number): object => ({
  type: 'bytes',
  logicalType: 'decimal',
  precision,
  scale,
})
const enumOf = (symbols: string[], rest: object = {}): object => ({
  type: 'enum',
  name: 'E',
  symbols,
  ...rest,
})
const inner = (...fields: object[]): object => ({ type: 'record', name: 'Inner', fields })

test('every schema reads itself', () => {
  fc.assert(
    fc.property(recordCases, ({ schema }) => {
      expect(incompatibilities(shapeOf(schema), shapeOf(schema))).toEqual([])
    }),
  )
})

describe('what avsc would accept', () => {
  test.each([
    [decimal(12, 2), decimal(12, 3), 'a: decimal(12, 3) in bytes became decimal(12, 2) in bytes'],
    [decimal(14, 2), decimal(12, 2), 'a: decimal(12, 2) in bytes became decimal(14, 2) in bytes'],
    ['bytes', decimal(12, 2), 'a: decimal(12, 2) in bytes became bytes'],
    ['long', { type: 'long', logicalType: 'timestamp-millis' }, 'a: timestamp-millis became long'],
    [
      { type: 'long', logicalType: 'timestamp-micros' },
      { type: 'long', logicalType: 'timestamp-millis' },
      'a: timestamp-millis became timestamp-micros',
    ],
    ['long', 'int', 'a: int became long'],
    [{ type: 'long', 'annals.long': 'number' }, 'long', 'a: long became long within 2^53'],
    ['long', { type: 'long', 'annals.long': 'number' }, 'a: long within 2^53 became long'],
    ['string', 'bytes', 'a: bytes became string'],
    [
      ['bytes', 'string'],
      ['string', 'bytes'],
      'a: string would be read as bytes, which is first in the union',
    ],
    [['double', 'int'], ['int', 'double'], 'a: int would be read as double, which is first in the union'],
  ])('%j reading %j', (reader, writer, message) => {
    expect(between(reader, writer)[0]).toBe(message)
  })
})

describe('the path identifies the field', () => {
  test.each([
    [{ type: 'array', items: 'int' }, { type: 'array', items: 'string' }, 'a[]: string became int'],
    [{ type: 'map', values: 'int' }, { type: 'map', values: 'string' }, 'a[]: string became int'],
    [
      inner({ name: 'b', type: 'int' }),
      inner(),
      'a.b: a version without this field cannot be read, because it has no default',
    ],
    [
      ['null', inner({ name: 'b', type: 'int' })],
      ['null', inner({ name: 'b', type: 'string' })],
      'a.b: string became int',
    ],
    [['null', 'int'], ['null', 'int', 'string'], 'a: the union lost its branch string'],
    [
      { type: 'fixed', name: 'F', size: 2 },
      { type: 'fixed', name: 'F', size: 3 },
      'a: fixed F of 3 bytes became fixed F of 2 bytes',
    ],
    [
      { type: 'fixed', name: 'F', size: 9, logicalType: 'decimal', precision: 4 },
      decimal(4, 0),
      'a: decimal(4, 0) in bytes became decimal(4, 0) in fixed F of 9 bytes',
    ],
    [
      enumOf(['A']),
      enumOf(['A', 'B']),
      'a: B cannot be read by a version without it, because that enum has no default',
    ],
    [enumOf(['A']), { ...enumOf(['A']), name: 'Other' }, 'a: enum Other became enum E'],
  ])('%j reading %j', (reader, writer, message) => {
    expect(between(reader, writer)).toEqual([message])
  })
})

describe('compatible changes', () => {
  test.each([
    [enumOf(['A'], { default: 'A' }), enumOf(['A', 'B'])],
    [enumOf(['B', 'A']), enumOf(['A', 'B'])],
    [
      ['int', 'null'],
      ['null', 'int'],
    ],
    [inner({ name: 'b', type: 'int', default: 1 }), inner()],
    [inner({ name: 'b', type: 'int', aliases: ['c'] }), inner({ name: 'c', type: 'int' })],
    [inner(), inner({ name: 'b', type: 'int' })],
  ])('%j reading %j', (reader, writer) => {
    expect(between(reader, writer)).toEqual([])
  })

  test('recursive records', () => {
    const list = ['null', inner({ name: 'next', type: ['null', 'Inner'] })]
    expect(between(list, list)).toEqual([])
  })
})
