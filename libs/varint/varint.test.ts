import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  readSignedVarint,
  readVarint,
  varintBytesMax,
  varintLength,
  writeSignedVarint,
  writeVarint,
} from './varint.ts'

test.each([
  [0, '00'],
  [-1, '01'],
  [63, '7e'],
  [-64, '7f'],
  [64, '8001'],
  [8191, 'fe7f'],
  [2 ** 31 - 1, 'feffffff0f'],
  [-(2 ** 31), 'ffffffff0f'],
])('%d is encoded as in Protocol Buffers', (value, hex) => {
  const target = Buffer.alloc(varintBytesMax)
  expect(target.subarray(0, writeSignedVarint(target, 0, value)).toString('hex')).toBe(hex)
})

test('an integer of up to 52 bits round-trips, and reading consumes exactly its bytes', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), fc.nat(5), (number, position) => {
      const bytes = Buffer.alloc(position + varintBytesMax, 0xff)
      const end = writeSignedVarint(bytes, position, number)
      const cursor = { bytes, position }
      expect(readSignedVarint(cursor)).toBe(number)
      expect(cursor.position).toBe(end)
    }),
  )
})

test('an unsigned integer up to 2^53 round-trips in the number of bytes that varintLength returns', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger().map(Math.abs), fc.nat(5), (number, position) => {
      const bytes = Buffer.alloc(position + varintBytesMax, 0xff)
      const end = writeVarint(bytes, position, number)
      expect(end - position).toBe(varintLength(number))
      const cursor = { bytes, position }
      expect(readVarint(cursor)).toBe(number)
      expect(cursor.position).toBe(end)
    }),
  )
})

test('the cursor is past the end if the bytes end within a number', () => {
  const cursor = { bytes: Buffer.from([0x81, 0x80]), position: 0 }
  readVarint(cursor)
  expect(cursor.position).toBe(3)
})
