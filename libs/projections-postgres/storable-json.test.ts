import fc from 'fast-check'
import { expect, test } from 'vitest'

import { storableJson } from './storable-json.ts'

test.each([
  ['text as it is', 'Zoë 漢字 😀 \\ " \\u0000 \\ud83d \\\\u0000'],
  ['an empty text', ''],
])('leaves %s', (_, text) => {
  expect(storableJson(JSON.stringify(text))).toBe(JSON.stringify(text))
})

test.each([
  ['U+0000', 'a\0b', 'a\ufffdb'],
  ['the first half of a surrogate pair', 'a\ud83d', 'a\ufffd'],
  ['the second half of a surrogate pair', '\ude00b', '\ufffdb'],
  ['halves in a row', '\ude00\ud83d\ud83d', '\ufffd\ufffd\ufffd'],
  ['one behind backslashes', '\\\\\0', '\\\\\ufffd'],
])('replaces %s', (_, text, storable) => {
  expect(storableJson(JSON.stringify(text))).toBe(JSON.stringify(storable))
})

test('replaces everything in a text that cannot be stored, and nothing else', () => {
  const text = fc.string({
    unit: fc.constantFrom('\\', '"', 'u', '0', 'd83d', '\0', '\ud83d', '\ude00', 'é'),
  })
  fc.assert(
    fc.property(text, (given) => {
      const expected = given.toWellFormed().replaceAll('\0', '\ufffd')
      expect(JSON.parse(storableJson(JSON.stringify(given)))).toBe(expected)
    }),
  )
})
