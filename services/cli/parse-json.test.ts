import { expect, test } from 'vitest'

import { parseJson } from '#event-store'

import { decodeUtf8, parseArgument } from './parse-json.ts'

const nested = (levels: number) => `${'['.repeat(levels)}1${']'.repeat(levels)}`

test('JSON has the same limits as on the server', () => {
  expect(parseJson('{"a":[1]}')).toEqual({ a: [1] })
  expect(() => parseJson('{"a')).toThrow('is not JSON: ')
  expect(() => parseJson(nested(101))).toThrow('is nested deeper than 100 levels')
  expect(() => parseJson(nested(200_000))).toThrow('is nested deeper than 100 levels')
  expect(() => parseJson(`[${'1,'.repeat(600_000)}1]`)).toThrow('has more than 500000 values')
})

test.each(['ca\xe9', '\xe2\x82', '\xed\xa0\x80', '\xff'])(
  'bytes that are not UTF-8 are rejected: %j',
  (bytes) => {
    expect(() => decodeUtf8(Buffer.from(bytes, 'latin1'))).toThrow('is not UTF-8')
  },
)

test('UTF-8 may begin with a byte order mark', () => {
  expect(parseJson(decodeUtf8(Buffer.from('\ufeff{"a":"é"}')))).toEqual({ a: 'é' })
})

test('an argument with U+FFFD is rejected; an escaped one is accepted', () => {
  expect(() => parseArgument('"caf\ufffd"')).toThrow('contains U+FFFD')
  expect(parseArgument('"caf\\ufffd"')).toBe('caf\ufffd')
})
