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
])('%d is written as Protocol Buffers do', (value, hex) => {
  const target = Buffer.alloc(varintBytesMax)
  expect(target.subarray(0, writeSignedVarint(target, 0, value)).toString('hex')).toBe(hex)
})

test('any whole number of up to 52 bits is read back as it was written, and no byte more', () => {
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

test('any whole number up to 2^53 is read back without a sign, in as many bytes as were announced', () => {
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

test('the cursor stands behind the end where the bytes end within a number', () => {
  const cursor = { bytes: Buffer.from([0x81, 0x80]), position: 0 }
  readVarint(cursor)
  expect(cursor.position).toBe(3)
})
