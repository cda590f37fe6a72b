import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { InvalidInputError } from './invalid-input.ts'
import {
  aggregateIdOf,
  aggregateTypeOf,
  checkNewStreamId,
  parseAggregateType,
  parseStreamId,
  streamIdOf,
} from './stream-id.ts'

describe('a stream id', () => {
  test('is an aggregate type and an aggregate id; the type ends at the first dot', () => {
    const id = parseStreamId('order.order-42.eu')
    expect(aggregateTypeOf(id)).toBe('order')
    expect(aggregateIdOf(id)).toBe('order-42.eu')
  })

  test('of any type and id parses to the same parts', () => {
    const type = fc.stringMatching(/^[a-z][a-z0-9-]{0,99}$/)
    const id = fc
      .string({ minLength: 1, maxLength: 200, unit: 'grapheme' })
      .filter((text) => text.length <= 200 && !/[\s\p{Cc}]/u.test(text))
    fc.assert(
      fc.property(type, id, (aggregateType, aggregateId) => {
        const streamId = streamIdOf(aggregateType, aggregateId)
        expect(parseStreamId(streamId)).toBe(streamId)
        expect(aggregateTypeOf(streamId)).toBe(aggregateType)
        expect(aggregateIdOf(streamId)).toBe(aggregateId)
      }),
    )
  })

  test('accepts a type of 100 characters and an id of 200, and no more', () => {
    expect(() => streamIdOf('a'.repeat(100), 'x'.repeat(200))).not.toThrow()
    expect(() => streamIdOf('a'.repeat(101), 'x')).toThrow(InvalidInputError)
    expect(() => streamIdOf('a', 'x'.repeat(201))).toThrow(InvalidInputError)
  })

  test.each([
    ['order', 'stream id "order" has no dot: expected {aggregateType}.{aggregateId}, e.g. order.order-42'],
    ['.42', /^aggregate type "" is malformed/],
    ['Order.42', /^aggregate type "Order" is malformed/],
    ['1order.42', /^aggregate type "1order" is malformed/],
    [
      'order.',
      'aggregate id "" is malformed: expected 1 to 200 characters without white space or control characters',
    ],
    ['order.4 2', /^aggregate id "4 2" is malformed/],
    ['order.42\n', /^aggregate id/],
    ['order.\u0000', /^aggregate id/],
    ['order.\u007f', /^aggregate id/],
    ['order.\u0085', /^aggregate id/],
    ['order.\ud800', /^aggregate id/],
  ])('%j is rejected with the reason', (text, message) => {
    expect(() => parseStreamId(text)).toThrow(message)
    expect(() => parseStreamId(text)).toThrow(expect.objectContaining({ path: 'streamId' }))
  })
})

describe('a new stream', () => {
  test.each(['42', 'a.b/c', 'Zoë', 'שלום', '日本', '🎩', 'क्षि'])('may have the id %s', (id) => {
    expect(() => checkNewStreamId(streamIdOf('order', id))).not.toThrow()
  })

  test.each([
    ...[0x00ad, 0x034f, 0x061c, 0x115f, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x202a, 0x202e],
    ...[0x2060, 0x2066, 0x2069, 0x206f, 0x3164, 0xfe0f, 0xe0001, 0xe0041],
  ])('must not have U+%s in its id, which can still be read', (code) => {
    const streamId = streamIdOf('order', `4${String.fromCodePoint(code)}2`)
    expect(parseStreamId(streamId)).toBe(streamId)
    expect(() => checkNewStreamId(streamId)).toThrow('invisible or bidirectional characters')
    expect(() => checkNewStreamId(streamId)).toThrow(expect.objectContaining({ path: 'streamId' }))
  })

  test('must not have an id that looks like another spelling', () => {
    expect(() => checkNewStreamId(streamIdOf('order', 'Zoe\u0308'))).toThrow('not in Unicode normal form NFC')
  })
})

test('a well-formed aggregate type is returned', () => {
  expect(parseAggregateType('shopping-cart2')).toBe('shopping-cart2')
})
