import fc from 'fast-check'
import { expect, test } from 'vitest'

import { formatQuantity, parseQuantity, sizeUnits, timeUnits } from './units.ts'

test.each([
  ['500ms', 500],
  ['5s', 5_000],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['1d', 86_400_000],
  ['10 s', 10_000],
])('%s is %i milliseconds', (text, value) => {
  expect(parseQuantity(text, timeUnits)).toEqual({ value })
})

test.each([
  ['100B', 100],
  ['512KiB', 524_288],
  ['1MiB', 1_048_576],
  ['2GiB', 2_147_483_648],
])('%s is %i bytes', (text, value) => {
  expect(parseQuantity(text, sizeUnits)).toEqual({ value })
})

test.each([
  ['5', 'it has no unit'],
  ['5 sec', 'its unit sec is none of ms, s, m, h, d'],
  ['5MiB', 'its unit MiB is none of ms, s, m, h, d'],
  ['5S', 'its unit S is none of ms, s, m, h, d'],
  ['1.5h', 'it is not a whole number with a unit'],
  ['-5s', 'it is not a whole number with a unit'],
  ['soon', 'it is not a whole number with a unit'],
  ['5toString', 'its unit toString is none of ms, s, m, h, d'],
])('%s is not a duration: %s', (text, problem) => {
  expect(parseQuantity(text, timeUnits)).toEqual({ problem })
})

test.each([timeUnits, sizeUnits])('formatting and parsing give the same value: %j', (units) => {
  fc.assert(
    fc.property(fc.nat(), (value) => {
      expect(parseQuantity(formatQuantity(value, units), units)).toEqual({ value })
    }),
  )
})

test('the largest unit that needs no fraction is used', () => {
  expect([0, 1, 90_000, 7_200_000].map((ms) => formatQuantity(ms, timeUnits))).toEqual([
    '0ms',
    '1ms',
    '90s',
    '2h',
  ])
})
