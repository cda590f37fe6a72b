import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { InvalidInputError, quote } from './invalid-input.ts'

describe('a quoted value', () => {
  test.each([
    ['text', '"text"'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [10n, '10'],
    [{ a: 1 }, '{"a":1}'],
    [
      'a\u0000\u007f\u009b\u202e\u200b\u{e0041}\ud800b',
      '"a\\u0000\\u007f\\u009b\\u202e\\u200b\\udb40\\udc41\\ud800b"',
    ],
  ])('%s is shown as %s', (value, shown) => expect(quote(value)).toBe(shown))

  test('is cut at 80 characters', () => {
    expect(quote('x'.repeat(78))).toHaveLength(80)
    expect(quote('x'.repeat(79))).toBe(`"${'x'.repeat(78)}…`)
  })

  test('that refers to itself is formatted too', () => {
    const ring: Record<string, unknown> = {}
    ring['self'] = ring
    expect(quote(ring)).toBe('[object Object]')
  })

  const nested = (levels: number): unknown => {
    let value: unknown = 1
    for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { deep: value }
    return value
  }

  test.each([
    ['an array nested too deep', () => nested(200_001), `${'[{"deep":'.repeat(9).slice(0, 79)}…`],
    ['an object nested too deep', () => nested(200_000), `${'{"deep":['.repeat(9).slice(0, 79)}…`],
    ['an object without a prototype that refers to itself', ring, '[object Object]'],
    [
      'an object that cannot be converted to text',
      () => ({ toString: 1, valueOf: null, deep: 1n }),
      '[object Object]',
    ],
  ])('%s is formatted too', (_, make, shown) => expect(quote(make())).toBe(shown))

  function ring(): object {
    const value = Object.create(null) as Record<string, unknown>
    return Object.assign(value, { self: value })
  }

  test('is the start of its JSON with invisible characters escaped, for any value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const json = JSON.stringify(value)
        fc.pre(!/[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u.test(json))
        expect(quote(value)).toBe(json.length > 80 ? `${json.slice(0, 79)}…` : json)
      }),
    )
  })

  test('is not read to its end when it is large', () => {
    let read = 0
    const part = { toJSON: () => ++read }
    const large = Array.from({ length: 1_000 }, () => Array.from({ length: 1_000 }, () => part))
    expect(quote(large)).toHaveLength(80)
    expect(read).toBeLessThan(1_000)
  })
})

test('an InvalidInputError has a code, a path and its cause', () => {
  const cause = new Error('below')
  expect(new InvalidInputError('data.amount', 'wrong', { cause })).toMatchObject({
    name: 'InvalidInputError',
    code: 'invalid-input',
    path: 'data.amount',
    message: 'wrong',
    cause,
  })
})
