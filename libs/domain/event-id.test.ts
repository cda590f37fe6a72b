import fc from 'fast-check'
import { parse, version } from 'uuid'
import { describe, expect, test } from 'vitest'

import { deriveEventId, eventIdBytes, newEventId, parseEventId, writeEventId } from './event-id.ts'

describe('an event id', () => {
  test('is a new UUIDv7 that sorts after earlier ones', () => {
    const ids = Array.from({ length: 1_000 }, newEventId)
    expect(new Set(ids).size).toBe(1_000)
    expect(ids.every((id) => version(id) === 7)).toBe(true)
    expect(ids.toSorted()).toEqual(ids)
  })

  test('is parsed in any case and stored in lower case', () => {
    const id = '0190C2A4-7B0B-7F0C-9A53-2D1F3B9A4F61'
    expect(parseEventId(id)).toBe(id.toLowerCase())
  })

  test.each(['', '42', '0190c2a4-7b0b-7f0c-9a53-2d1f3b9a4f6', '{0190c2a4-7b0b-7f0c-9a53-2d1f3b9a4f61}'])(
    '%j is rejected with its path',
    (text) =>
      expect(() => parseEventId(text, 'events[0].id')).toThrow(
        expect.objectContaining({
          path: 'events[0].id',
          message: `events[0].id ${JSON.stringify(text)} is not an event id: expected a UUID`,
        }),
      ),
  )

  test('derived from an idempotency key never changes', () => {
    expect(deriveEventId('order.42', 'key', 0)).toBe('769200b3-f9d0-5716-a45e-a983315d5155')
  })

  test('derived from another stream, key or index differs', () => {
    const ids = [
      deriveEventId('order.42', 'key', 0),
      deriveEventId('order.43', 'key', 0),
      deriveEventId('order.42', 'yek', 0),
      deriveEventId('order.42', 'key', 1),
      deriveEventId('order.4', '2key', 0),
    ]
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.every((id) => version(id) === 5)).toBe(true)
  })

  test('is written as the bytes of its UUID, and nothing around it changes', () => {
    fc.assert(
      fc.property(fc.uuid({ version: [1, 4, 5, 7, 8] }), fc.nat(9), fc.nat(255), (text, at, filler) => {
        const written = new Uint8Array(at + eventIdBytes + 5).fill(filler)
        writeEventId(written, at, parseEventId(text))
        const expected = new Uint8Array(at + eventIdBytes + 5).fill(filler)
        expected.set(parse(text), at)
        expect(written).toEqual(expected)
      }),
    )
  })
})
