import fc from 'fast-check'
import { expect, test } from 'vitest'

import { streamPattern } from './stream-pattern.ts'

test.each([
  ['customer.*', 'customer.c-1', true],
  ['customer.*', 'customers.c-1', false],
  ['customer.c-?', 'customer.c-1', true],
  ['customer.c-?', 'customer.c-12', false],
  ['customer.?', 'customer.😀', true],
  ['*.eu.*', 'customer.eu.1', true],
  ['**1', 'customer.c-1', true],
  ['customer', 'customer.c-1', false],
  ['customer.c+1', 'customer.c+1', true],
  ['customer.c+1', 'customer.cc1', false],
  ['[a-z]*', 'customer.1', false],
])('%s and %s: %s', (glob, streamId, fits) => {
  expect(streamPattern(glob)(streamId)).toBe(fits)
})

test('without * and ? it is the stream id itself, whatever characters that has', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      fc.pre(!/[*?]/.test(a))
      expect(streamPattern(a)(a)).toBe(true)
      expect(streamPattern(a)(b)).toBe(a === b)
      expect(streamPattern(`${a}*`)(a + b)).toBe(true)
    }),
  )
})
