import fc from 'fast-check'
import { expect, test } from 'vitest'

import { checkJsonValue, isJsonObject, memberPath } from './json-value.ts'

const faultOf = (value: unknown): unknown => {
  try {
    checkJsonValue(value, 'data')
    return undefined
  } catch (error) {
    return error
  }
}

class Money {
  readonly amount = '12.50'
}
class Coin {
  toJSON(): string {
    return '1.00'
  }
}

const ring: Record<string, unknown> = {}
ring['ring'] = ring

const sparse = [1, , 3]

test.each<[string, unknown, string, RegExp]>([
  ['NaN', { a: NaN }, 'data.a', /finite number, got NaN/],
  ['an infinity', { a: [1, -Infinity] }, 'data.a[1]', /got -Infinity/],
  ['what 1e400 is parsed to', JSON.parse('{"a":{"b":1e400}}'), 'data.a.b', /got Infinity/],
  ['a bigint', { a: 1n }, 'data.a', /the bigint 1/],
  ['a Date', { a: new Date(0) }, 'data.a', /got a Date/],
  ['a Map', new Map([['a', 1]]), 'data', /got a Map/],
  ['a Set', { a: new Set() }, 'data.a', /got a Set/],
  ['bytes', { a: Buffer.from('a') }, 'data.a', /got a Buffer/],
  ['a number in an object', { a: Object(7) as unknown }, 'data.a', /got a Number/],
  ['an expression', { a: /b/ }, 'data.a', /got a RegExp/],
  ['what writes itself as JSON', { a: new Coin() }, 'data.a', /got a Coin/],
  ['a function', { a: () => 1 }, 'data.a', /got function/],
  ['a symbol', [Symbol('a')], 'data[0]', /got symbol/],
  ['undefined in an array', [undefined], 'data[0]', /got undefined/],
  ['a hole in an array', sparse, 'data[1]', /got undefined/],
  ['undefined itself', undefined, 'data', /got undefined/],
  ['a lone surrogate', { a: ['x\ud800'] }, 'data.a[0]', /lone surrogate/],
  ['a lone surrogate in a key', { a: { 'x\udc00': 1 } }, 'data.a["x\\udc00"]', /a key that contains a lone/],
  ['the key __proto__', JSON.parse('{"a":{"__proto__":1}}'), 'data.a.__proto__', /this key is not allowed/],
  ['a ring', ring, `data${'.ring'.repeat(97)}`, /nested too deep, or circular/],
])('%s is found, with its path', (_, value, path, message) => {
  expect(faultOf(value)).toMatchObject({ path, message: expect.stringMatching(message) as string })
})

test.each<[string, unknown]>([
  ['members that are undefined', { a: undefined, b: 1 }],
  ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
  ['an object of a class with members only', { price: new Money() }],
  ['names of members that every object has', { constructor: 'a', toString: 1, hasOwnProperty: null }],
])('%s: accepted', (_, value) => {
  expect(faultOf(value)).toBeUndefined()
})

test('any JSON value is accepted, and survives a round trip through UTF-8', () => {
  const text = fc.string({ unit: 'binary' })
  const values = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 })
  fc.assert(
    fc.property(fc.oneof(values, fc.dictionary(text, values)), (value) => {
      const bytes = new TextEncoder().encode(JSON.stringify(value))
      const back = JSON.parse(new TextDecoder().decode(bytes)) as unknown
      if (faultOf(value) === undefined) expect(plain(back)).toEqual(plain(value))
    }),
  )
})

/** JSON has no -0. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, part: unknown) => (part === 0 ? 0 : part)) as unknown

test('paths look like code', () => {
  expect(['price', '_a1', 'net price', '', '1a', 'Zoë'].map(memberPath)).toEqual([
    '.price',
    '._a1',
    '["net price"]',
    '[""]',
    '["1a"]',
    '["Zoë"]',
  ])
})

test.each([
  [[], false],
  [null, false],
  ['a', false],
  [{}, true],
  [new Date(), false],
  [new Money(), true],
])('%j is an object with members: %s', (value, expected) => {
  expect(!Array.isArray(value) && isJsonObject(value)).toBe(expected)
})
