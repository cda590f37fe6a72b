import { murmur2 as reference } from '@platformatic/kafka'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { murmur2, partitionFor } from '#domain'

test('murmur2 agrees with another implementation on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      expect(murmur2(bytes)).toBe(reference(Buffer.from(bytes)))
    }),
  )
})

test('a stream’s partition is within the topic, and hashed from UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 200 }), (id, partitions) => {
      expect(partitionFor(id, partitions)).toBe((reference(Buffer.from(id)) & 0x7fffffff) % partitions)
    }),
  )
})
