import { murmur2 as reference } from '@platformatic/kafka'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { murmur2, partitionFor } from './partitioner.ts'

// From Kafka's own UtilsTest#testMurmur2.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2 of %s is the Java client’s', (text, expected) => {
  expect(murmur2(Buffer.from(text))).toBe(expected)
})

test('murmur2 agrees with another port of it on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      expect(murmur2(bytes)).toBe(reference(Buffer.from(bytes)))
    }),
  )
})

test('a stream’s partition is within the topic, and the same for UTF-8 beyond ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 200 }), (id, partitions) => {
      expect(partitionFor(id, partitions)).toBe((reference(Buffer.from(id)) & 0x7fffffff) % partitions)
    }),
  )
})
