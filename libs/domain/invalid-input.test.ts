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

  test('that refers to itself is shown all the same', () => {
    const ring: Record<string, unknown> = {}
    ring['self'] = ring
    expect(quote(ring)).toBe('[object Object]')
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
