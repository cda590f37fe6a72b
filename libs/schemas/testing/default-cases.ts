/** A type of a field, a default, and whether a registry accepts it. */
export type DefaultCase = readonly [type: unknown, byDefault: unknown, isSound: boolean]

const color = { type: 'enum', name: 'Color', symbols: ['RED', 'GREEN'] }
const four = { type: 'fixed', name: 'Four', size: 4 }
const item = {
  type: 'record',
  name: 'Item',
  fields: [
    { name: 'sku', type: 'string' },
    { name: 'count', type: 'int', default: 1 },
  ],
}
const decimal = { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }

/** Defaults that the Avro specification allows, and others that it does not. */
export const defaultCases: readonly DefaultCase[] = [
  ['string', '', true],
  ...[{}, [], 0, null, true].map((wrong): DefaultCase => ['string', wrong, false]),
  ['null', null, true],
  ['null', 'null', false],
  ['boolean', false, true],
  ['boolean', 0, false],
  ['boolean', 'false', false],
  ['int', -(2 ** 31), true],
  ...[2 ** 31, 1.5, '1', null, {}].map((wrong): DefaultCase => ['int', wrong, false]),
  ['long', 2 ** 53 - 1, true],
  ...[1.5, '1', {}].map((wrong): DefaultCase => ['long', wrong, false]),
  ['float', 1, true],
  ['double', 1e300, true],
  ['double', 'NaN', false],
  ['bytes', '\u00ff', true],
  ['bytes', 7, false],
  ['bytes', {}, false],
  [decimal, '\u0004', true],
  [decimal, 4, false],
  [{ type: 'int', logicalType: 'date' }, 0, true],
  [{ type: 'int', logicalType: 'date' }, '1970-01-01', false],
  [{ type: 'string', logicalType: 'uuid' }, {}, false],
  [four, 'abcd', true],
  [four, {}, false],
  [color, 'RED', true],
  [color, {}, false],
  [['null', 'string'], null, true],
  [['string', 'null'], 'a', true],
  [['string', 'null'], {}, false],
  [{ type: 'array', items: 'string' }, ['a'], true],
  [{ type: 'array', items: 'string' }, [{}], false],
  [{ type: 'array', items: 'string' }, {}, false],
  [{ type: 'map', values: 'string' }, { a: 'b' }, true],
  [{ type: 'map', values: 'string' }, { a: {} }, false],
  [{ type: 'map', values: 'string' }, [], false],
  [item, { sku: 'tea' }, true],
  [item, { sku: 'tea', count: 2 }, true],
  [item, { sku: {} }, false],
  [item, { count: 2 }, false],
  [item, 'tea', false],
]
