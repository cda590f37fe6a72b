import fc from 'fast-check'
import { expect, test } from 'vitest'

import { avroTypeOf } from './avro-type.ts'
import { mappingOf } from './mapping.ts'
import { sampleValue } from './sample-value.ts'
import { type RecordShape, shapeOf } from './shape.ts'
import { recordCases } from './testing/arbitrary-schema.ts'

const comesBack = (schema: unknown): void => {
  const shape = shapeOf(schema) as RecordShape
  const [type, mapping, sample] = [avroTypeOf(schema), mappingOf(shape), sampleValue(shape)]
  expect(mapping.fromAvro(type.fromBuffer(type.toBuffer(mapping.toAvro(sample))))).toStrictEqual(sample)
}

test('a sample fits its schema', () => {
  fc.assert(fc.property(recordCases, ({ schema }) => comesBack(schema)))
})

test.each([[['null', 'test.R']], [{ type: 'array', items: 'test.R' }], [{ type: 'map', values: 'test.R' }]])(
  'a recursive record as %j ends',
  (type) => {
    comesBack({ type: 'record', name: 'test.R', fields: [{ name: 'a', type }] })
  },
)
