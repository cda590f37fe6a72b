import { styleText } from 'node:util'

import fc from 'fast-check'
import { expect, test } from 'vitest'

import { printable, visible } from './visible.ts'

test.each([
  ['\u001b[2J', '\\u001b[2J'],
  ['a\r\u0007b', 'a\\u000d\\u0007b'],
  ['\u009b31m', '\\u009b31m'],
  ['line\nbreak', 'line\\u000abreak'],
  ['user\u202Etxt.exe', 'user\\u202etxt.exe'],
  ['Ünïcode 日本 👍', 'Ünïcode 日本 👍'],
])('control characters of %j are escaped', (text, expected) => {
  expect(visible(text)).toBe(expected)
})

test('a report keeps line breaks, tabs and colours; other control characters are escaped', () => {
  const coloured = styleText('red', 'log', { validateStream: false })
  expect(printable(`${coloured}\n\tkey \u001b]0;title\u0007 \u001b[2J \u009b1m`)).toBe(
    `${coloured}\n\tkey \\u001b]0;title\\u0007 \\u001b[2J \\u009b1m`,
  )
  expect(printable('a\n[1m]')).toBe('a\n[1m]')
})

test('no control character is left in any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(visible(text)).not.toMatch(/\p{Cc}/u)
      expect(printable(text).replaceAll(/[\n\t]|\p{Cc}\[[\d;]*m/gu, '')).not.toMatch(/\p{Cc}/u)
    }),
    { numRuns: 30 },
  )
})
