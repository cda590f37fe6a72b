import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

import { InvalidInputError } from './invalid-input.ts'
import {
  ownMetadataBytesMax,
  ownMetadataJson,
  ownMetadataKeysMax,
  parseMetadata,
  parseOwnMetadataJson,
} from './metadata.ts'
import { metadataFields } from './metadata-table.ts'

describe('new metadata', () => {
  test('is returned unchanged', () => {
    const metadata = { correlationId: '', userId: 'Zoë 🎩 שלום', source: 'urn:shop', traceparent: undefined }
    expect(parseMetadata(metadata)).toBe(metadata)
  })

  test('must not contain control characters in any field', () => {
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
    [{ userId: 'a\r\nx: y' }, 'metadata.userId "a\\r\\nx: y" contains U+000D: expected text without control'],
    [{ userId: '\u001b[31m' }, 'metadata.userId "\\u001b[31m" contains U+001B'],
    [{ userId: 'a\u009bm' }, 'metadata.userId "a\\u009bm" contains U+009B'],
    [{ userId: '\ud800' }, 'metadata.userId "\\ud800" contains U+D800'],
    [{ userId: 7 }, 'metadata.userId is 7: expected text'],
    [{ userId: null }, 'metadata.userId is null'],
    [{ tenant: null }, 'metadata.tenant is null: expected text, a finite number, true or false'],
    [{ tenant: ['a'] }, 'metadata.tenant is ["a"]: expected'],
    [{ load: NaN }, 'metadata.load is null: expected'],
    [{ load: -Infinity }, 'metadata.load is null: expected'],
    [{ tenant: 'a\u0000' }, 'metadata.tenant "a\\u0000" contains U+0000'],
    [{ userid: 'a' }, 'metadata.userid: expected the name userId'],
    [{ SOURCE: 'a' }, 'metadata.SOURCE: expected the name source'],
    [{ '': 'a' }, 'metadata[""] is not a metadata key'],
    [{ '7th': 'a' }, 'metadata["7th"] is not a metadata key'],
    [{ 'a b': 'a' }, 'metadata["a b"] is not a metadata key'],
    [{ 'a\u0007': 'a' }, 'metadata["a\\u0007"] is not a metadata key'],
    [{ 'a\ud800': 'a' }, 'metadata["a\\ud800"] is not a metadata key'],
    [{ ['k'.repeat(65)]: 'a' }, 'is not a metadata key'],
    [JSON.parse('{"__proto__":"a"}'), 'metadata["__proto__"] is not a metadata key'],
    [{ constructor: 'a' }, 'metadata.constructor is not a metadata key'],
    [null, 'metadata is null: expected an object'],
    [['a'], 'metadata is ["a"]'],
    ['a', 'metadata is "a"'],
  ])('%j is rejected', (metadata, message) => {
    expect(() => parseMetadata(metadata)).toThrow(message)
  })
})

describe('own keys', () => {
  const ofKeys = (count: number, value: string | number = 1) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, value]))

  test('are strings, finite numbers and booleans next to the named fields', () => {
    const metadata = { userId: 'ada', tenant: 'acme', 'retry.count': 3, isTrial: false, gone: undefined }
    expect(parseMetadata(metadata)).toBe(metadata)
    expect(ownMetadataJson(metadata)).toBe('{"tenant":"acme","retry.count":3,"isTrial":false}')
    expect(ownMetadataJson({ userId: 'ada', gone: undefined })).toBeUndefined()
  })

  test('are bounded in number; undefined ones do not count', () => {
    expect(parseMetadata({ ...ofKeys(ownMetadataKeysMax), userId: 'a', gone: undefined })).toBeDefined()
    expect(() => parseMetadata(ofKeys(ownMetadataKeysMax + 1), 'events[1].metadata')).toThrow(
      expect.objectContaining({
        path: 'events[1].metadata',
        message: expect.stringContaining('65 own keys') as unknown,
      }),
    )
  })

  test('are counted before they are serialised', () => {
    const serialised = vi.spyOn(JSON, 'stringify')
    onTestFinished(() => serialised.mockRestore())
    expect(() => parseMetadata(ofKeys(ownMetadataKeysMax + 1))).toThrow('65 own keys')
    const objects = () => serialised.mock.calls.filter(([value]) => typeof value === 'object')
    expect(objects()).toHaveLength(0)
    parseMetadata(ofKeys(ownMetadataKeysMax))
    expect(objects()).toHaveLength(1)
  })

  test('are bounded in bytes of UTF-8 JSON', () => {
    const room = ownMetadataBytesMax - '{"a":""}'.length
    expect(parseMetadata({ a: 'x'.repeat(room) })).toBeDefined()
    expect(parseMetadata({ a: 'ü'.repeat(room / 2) })).toBeDefined()
    expect(() => parseMetadata({ a: 'x'.repeat(room + 1) })).toThrow('8193 bytes or more')
    expect(() => parseMetadata({ a: 'ü'.repeat(room / 2 + 1) })).toThrow('8194 bytes or more')
  })

  test('that have the name of a field are kept in a header only as text', () => {
    const text = '{"userId":7,"source":true,"sessionId":"s-1","tenant":7}'
    expect(parseOwnMetadataJson(text, 'headers.x')).toEqual({ sessionId: 's-1', tenant: 7 })
  })

  test.each(['', 'null', '[]', '7', '{"a":null}', '{"a":{}}', '{"a":[1]}', '{'])(
    'in a header that contains %j are rejected with the path of the header',
    (text) => {
      expect(() => parseOwnMetadataJson(text, 'headers.x')).toThrow(
        expect.objectContaining({ path: 'headers.x' }),
      )
    },
  )
})
