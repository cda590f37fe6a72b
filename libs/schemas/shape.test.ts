import { describe, expect, test } from 'vitest'

import { avroTypeOf } from './avro-type.ts'
import { SchemaError } from './schema-error.ts'
import { shapeOf } from './shape.ts'

const recordWith = (type: unknown, rest: object = {}): object => ({
  type: 'record',
  name: 'Event',
  namespace: 'test',
  fields: [{ name: 'field', type, ...rest }],
})

describe('shapes', () => {
  test('names are qualified as in Avro, and references find what they name', () => {
    const money = { type: 'fixed', name: 'Money', size: 8 }
    const shape = shapeOf({
      type: 'record',
      name: 'other.Event',
      fields: [
        { name: 'a', type: money },
        { name: 'b', type: 'Money' },
        { name: 'c', type: ['null', 'other.Money'] },
        { name: 'd', type: { type: 'enum', name: 'E', namespace: 'third', symbols: ['X'], default: 'X' } },
        { name: 'e', type: 'third.E', aliases: ['f'], doc: 'the last' },
      ],
    })
    const moneyShape = { kind: 'fixed', avroName: 'other.Money', size: 8 }
    const enumShape = { kind: 'enum', avroName: 'third.E', symbols: ['X'], default: 'X' }
    expect(shape).toMatchObject({
      avroName: 'other.Event',
      fields: [
        { shape: moneyShape },
        { shape: moneyShape },
        { shape: { kind: 'union', branches: [{ kind: 'null' }, moneyShape] } },
        { shape: enumShape },
        { shape: enumShape, aliases: ['f'], doc: 'the last' },
      ],
    })
  })

  test('names agree with those that avsc gives', () => {
    const schema = recordWith([
      'null',
      'long',
      { type: 'record', name: 'Inner', fields: [] },
      { type: 'array', items: 'int' },
      { type: 'map', values: 'int' },
      { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 },
    ])
    const shape = shapeOf(schema)
    const union = shape.kind === 'record' ? shape.fields[0]?.shape : undefined
    const names = union?.kind === 'union' ? union.branches.map(({ avroName }) => avroName) : []
    const type = avroTypeOf(schema) as unknown as { fields: { type: { types: { branchName: string }[] } }[] }
    expect(names).toEqual(type.fields[0]?.type.types.map(({ branchName }) => branchName))
  })

  test('a record may be recursive', () => {
    const shape = shapeOf(recordWith({ type: 'array', items: 'Event' }))
    const items = shape.kind === 'record' && shape.fields[0]?.shape
    expect(items && items.kind === 'array' && items.items).toBe(shape)
  })

  test.each([
    [{ type: 'long', logicalType: 'time-micros' }, 'field field: logical type time-micros is not supported'],
    [{ type: 'string', logicalType: 'date' }, 'logical type date cannot be carried by string: expected int'],
    [{ type: 'bytes', logicalType: 'decimal' }, 'a decimal needs a precision'],
    [
      { type: 'bytes', logicalType: 'decimal', precision: 2, scale: 3 },
      'the scale of a decimal is 0 to its precision 2, not 3',
    ],
    [
      { type: 'fixed', name: 'F', size: 4, logicalType: 'decimal', precision: 10 },
      'a fixed of 4 bytes holds decimals of 9 digits, not 10',
    ],
  ])('%j is rejected', (type, message) => {
    expect(() => shapeOf(recordWith(type))).toThrow(SchemaError)
    expect(() => shapeOf(recordWith(type))).toThrow(message)
  })
})
