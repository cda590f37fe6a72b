import { expect, test } from 'vitest'

import { fieldValueOf } from './field-value.ts'

type Field = Readonly<Record<string, unknown>>

const value = (field: Field) => fieldValueOf({ column: 'c', ...field }, 'data.f')

test.each<[Field, string, unknown]>([
  [{}, ' as it is ', ' as it is '],
  [{ type: 'integer' }, '-12', -12],
  [{ type: 'integer' }, '9007199254740993', '9007199254740993'],
  [{ type: 'integer' }, '1.0', undefined],
  [{ type: 'number' }, '1e3', 1000],
  [{ type: 'number', decimalPoint: ',' }, '1,5', 1.5],
  [{ type: 'number' }, 'NaN', undefined],
  [{ type: 'decimal' }, '007.10', '7.10'],
  [{ type: 'decimal', scale: 2 }, '-7', '-7.00'],
  [{ type: 'decimal', scale: 2 }, '7.123', undefined],
  [{ type: 'decimal', decimalPoint: ',' }, '1.234,50', undefined],
  [{ type: 'boolean' }, 'true', true],
  [{ type: 'boolean', true: 'Y', false: 'N' }, 'N', false],
  [{ type: 'boolean', true: 'Y', false: 'N' }, 'false', undefined],
  [{ type: 'date', format: 'DD.MM.YYYY' }, '12.01.1997', '1997-01-12'],
  [{ type: 'date' }, '1997-02-30', undefined],
  [{ type: 'timestamp' }, '1997-01-12T00:00:00Z', '1997-01-12T00:00:00Z'],
  [
    { type: 'timestamp', format: 'YYYY-MM-DD HH:mm:ss', zone: '+01:30' },
    '1997-01-12 01:00:00',
    '1997-01-11T23:30:00.000Z',
  ],
  [{ type: 'date', format: 'iso' }, '1997-01-12T23:30:00.123456Z', '1997-01-12'],
  [{ type: 'date', format: 'iso', zone: '+01:00' }, '1997-01-12T23:30:00Z', '1997-01-13'],
  [{ type: 'date', format: 'iso' }, '1997-02-30T00:00:00Z', undefined],
  [{ type: 'date', format: 'DD.MM.YYYY HH:mm' }, '12.01.1997 23:30', '1997-01-12'],
  [{ type: 'date', format: 'epoch-seconds', zone: '-05:00' }, '853027200', '1997-01-11'],
  [{ type: 'timestamp', format: 'epoch-millis' }, '853027200001', '1997-01-12T00:00:00.001Z'],
  [{ type: 'timestamp', format: 'epoch-seconds' }, '853027200.5', '1997-01-12T00:00:00.500Z'],
  [{ type: 'timestamp', format: 'epoch-seconds' }, '999999999999', undefined],
  [{ type: 'timestamp', format: 'iso' }, '1997-01-12T01:00:00+01:00', '1997-01-12T00:00:00.000Z'],
])('%j parses %j to %j', (field, text, expected) => {
  expect(value(field).parse(text)).toEqual(expected)
})

test.each<[Field, unknown, string]>([
  [{}, { nested: 1 }, '{"nested":1}'],
  [{ type: 'decimal', decimalPoint: ',' }, '7.10', '7,10'],
  [{ type: 'boolean', true: 'Y', false: 'N' }, true, 'Y'],
  [{ type: 'date', format: 'DD.MM.YYYY' }, '1997-01-12', '12.01.1997'],
  [
    { type: 'timestamp', format: 'YYYY-MM-DD HH:mm', zone: '-05:00' },
    '1997-01-12T02:00:00.000Z',
    '1997-01-11 21:00',
  ],
])('%j writes %j as %j', (field, written, expected) => {
  expect(value(field).format(written)).toBe(expected)
})

test('a zone that would change nothing is rejected', () => {
  expect(() => value({ type: 'date', format: 'DD.MM.YYYY', zone: '+01:00' })).toThrow('data.f.zone: ')
})

test('a format without a day is rejected with its path', () => {
  expect(() => value({ type: 'date', format: 'YYYY' })).toThrow('data.f.format: "YYYY" has no ')
})
