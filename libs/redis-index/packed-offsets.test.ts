import fc from 'fast-check'
import { expect, test } from 'vitest'

import { packedLength, packOffsets, unpackOffsets } from './packed-offsets.ts'

function packed(offsets: readonly number[]): Buffer {
  const bytes = Buffer.alloc(packedLength(offsets))
  expect(packOffsets(bytes, 0, offsets)).toBe(bytes.length)
  return bytes
}

const ascending = fc
  .array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.maxSafeInteger().map(Math.abs)), { maxLength: 200 })
  .map((steps) => {
    let offset = 0
    return steps.map((step) => (offset += step)).filter((value) => Number.isSafeInteger(value))
  })

test('packed offsets unpack to the same offsets, up to 2^53', () => {
  fc.assert(
    fc.property(ascending, (offsets) => {
      expect(unpackOffsets(packed(offsets))).toEqual(offsets)
    }),
  )
})

test('consecutive offsets take one byte each after the first', () => {
  expect(packed([1_000_000, 1_000_001, 1_000_003, 1_000_130])).toHaveLength(3 + 3)
  expect(packed([300])).toEqual(Buffer.from([0xac, 0x02]))
})

test('bytes that end within a number are rejected', () => {
  expect(() => unpackOffsets(Buffer.from([0x01, 0x80]))).toThrow(RangeError)
})
