import fc from 'fast-check'
import { expect, test } from 'vitest'

import { readVarint, varintBytesMax, writeVarint } from './varint.ts'

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
  expect(target.subarray(0, writeVarint(target, 0, value)).toString('hex')).toBe(hex)
})

test('any whole number of up to 52 bits is read back as it was written, and no byte more', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), fc.nat(5), (number, position) => {
      const bytes = Buffer.alloc(position + varintBytesMax, 0xff)
      const end = writeVarint(bytes, position, number)
      const cursor = { bytes, position }
      expect(readVarint(cursor)).toBe(number)
      expect(cursor.position).toBe(end)
    }),
  )
})
