import fc from 'fast-check'
import { expect, test } from 'vitest'

import { isTextOf, repeatedText } from './repeated-text.ts'

const someText = fc.oneof(
  fc.constantFrom('PurchaseMade', 'PurchaseMods', 'ab', 'cb', '', 'ü', 'x'.repeat(500)),
  fc.string({ unit: 'grapheme' }),
)

test('repeated bytes have the text that they encode, whatever was read before', () => {
  fc.assert(
    fc.property(fc.array(someText), (texts) => {
      expect(texts.map((text) => repeatedText(Buffer.from(text)))).toEqual(texts)
    }),
  )
})

test('bytes that are overwritten later do not change a text', () => {
  const bytes = Buffer.from('OrderPlaced')
  expect(repeatedText(bytes)).toBe('OrderPlaced')
  bytes.write('OrderMoved!')
  expect(repeatedText(bytes)).toBe('OrderMoved!')
  expect(repeatedText(Buffer.from('OrderPlaced'))).toBe('OrderPlaced')
})

test('bytes are compared with a text in any script', () => {
  fc.assert(
    fc.property(someText, someText, (one, other) => {
      expect(isTextOf(Buffer.from(one), other)).toBe(one === other)
    }),
  )
  expect(isTextOf(Buffer.from([0xe4]), 'ä')).toBe(false)
})
