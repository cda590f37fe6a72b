import fc from 'fast-check'
import { expect, test } from 'vitest'

import { canBeginWith, streamPattern } from './stream-pattern.ts'

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

test('without * and ? a glob matches exactly its own text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      fc.pre(!/[*?]/.test(a))
      expect(streamPattern(a)(a)).toBe(true)
      expect(streamPattern(a)(b)).toBe(a === b)
      expect(streamPattern(`${a}*`)(a + b)).toBe(true)
    }),
  )
})

/** The definition of a match, as a recursive search. */
function fitsNaively([wanted, ...glob]: readonly string[], text: readonly string[]): boolean {
  if (wanted === undefined) return text.length === 0
  if (wanted !== '*')
    return text.length > 0 && [text[0], '?'].includes(wanted) && fitsNaively(glob, text.slice(1))
  return fitsNaively(glob, text) || (text.length > 0 && fitsNaively(['*', ...glob], text.slice(1)))
}

test('matches like the definition', () => {
  const characters = (...of: string[]) => fc.array(fc.constantFrom(...of), { maxLength: 9 })
  fc.assert(
    fc.property(characters('a', 'b', '😀', '*', '?'), characters('a', 'b', '😀', '*', '?'), (glob, text) => {
      expect(streamPattern(glob.join(''))(text.join(''))).toBe(fitsNaively(glob, text))
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['five stars', '*a*a*a*a*a*b'],
  ['a hundred stars', `${'*a'.repeat(100)}*b`],
  ['question marks between stars', `${'*?a'.repeat(60)}*b`],
  ['only stars', `${'*'.repeat(5_000)}b`],
])('%s are matched fast against long ids', (_, glob) => {
  const fits = streamPattern(glob)
  const id = `a.${'a'.repeat(300)}`
  const before = process.cpuUsage()
  for (let index = 0; index < 100; index++) expect(fits(id)).toBe(false)
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000)
})

test.each([
  ['customer.eu-*', true],
  ['*', true],
  ['cust*', true],
  ['????????.*', true],
  ['customer.?', true],
  ['customer.', false],
  ['eu-*', false],
  ['c-1', false],
  ['order.*', false],
])('%s can begin with the name of the type: %s', (glob, can) => {
  expect(canBeginWith(glob, 'customer.')).toBe(can)
})

test('a glob that cannot begin with a text matches nothing that begins with it', () => {
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 6 })
  const id = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(glob, id, (pattern, rest) => {
      fc.pre(streamPattern(pattern)(`ab.${rest}`))
      expect(canBeginWith(pattern, 'ab.')).toBe(true)
    }),
  )
})
