import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { InvalidInputError } from './invalid-input.ts'
import { metadataFields, parseMetadata } from './metadata.ts'

describe('metadata that may be written', () => {
  test('is given back as it is', () => {
    const metadata = { correlationId: '', userId: 'Zoë 🎩 שלום', source: 'urn:shop', traceparent: undefined }
    expect(parseMetadata(metadata)).toBe(metadata)
  })

  test('holds no control character anywhere, in no field', () => {
    const control = fc
      .oneof(fc.integer({ min: 0, max: 0x1f }), fc.integer({ min: 0x7f, max: 0x9f }))
      .map((code) => String.fromCodePoint(code))
    const text = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(fc.constantFrom(...metadataFields), text, control, text, (field, before, wrong, after) => {
        const refused = () => parseMetadata({ [field]: before + wrong + after }, 'events[2].metadata')
        expect(refused).toThrow(InvalidInputError)
        expect(refused).toThrow(expect.objectContaining({ path: `events[2].metadata.${field}` }))
      }),
    )
  })

  test.each([
    [{ userId: 'a\r\nx: y' }, 'metadata.userId "a\\r\\nx: y" holds U+000D: expected text without control'],
    [{ userId: '\u001b[31m' }, 'metadata.userId "\\u001b[31m" holds U+001B'],
    [{ userId: 'a\u009bm' }, 'metadata.userId "a\\u009bm" holds U+009B'],
    [{ userId: '\ud800' }, 'metadata.userId "\\ud800" holds U+D800'],
    [{ userId: 7 }, 'metadata.userId is 7: expected a text, and only correlationId, causationId, userId'],
    [{ userId: null }, 'metadata.userId is null'],
    [{ tenant: 'a' }, 'metadata.tenant is "a"'],
    [{ tenant: undefined }, 'metadata.tenant is undefined'],
    [null, 'metadata is null: expected an object'],
    [['a'], 'metadata is ["a"]'],
    ['a', 'metadata is "a"'],
  ])('%j is refused', (metadata, message) => {
    expect(() => parseMetadata(metadata)).toThrow(message)
  })
})
