import { describe, expect, test } from 'vitest'

import { murmur2, partitionFor } from './partition-for.ts'

describe('murmur2', () => {
  // Test vectors of Kafka's UtilsTest.testMurmur2.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %s equals the result of the Java client', (key, hash) => {
    expect(murmur2(new TextEncoder().encode(key))).toBe(hash)
  })

  test('reads a view that does not start at the beginning of its buffer', () => {
    const padded = new TextEncoder().encode('___foobar')
    expect(murmur2(padded.subarray(3))).toBe(-790332482)
  })
})

describe('the partition of a key', () => {
  test('is never negative, although the hash may be', () => {
    expect(partitionFor('foobar', 12)).toBe((-790332482 & 0x7fffffff) % 12)
  })

  test('depends on UTF-8 bytes, not characters', () => {
    const key = 'customer.Zoë-€-😀'
    expect(partitionFor(key, 1000)).toBe((murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % 1000)
  })

  test.each([0, 1, 340, 341, 342, 1_024, 5_000])('of %i characters depends on nothing else', (length) => {
    const key = '€'.repeat(length)
    partitionFor('x'.repeat(300), 1000)
    expect(partitionFor(key, 1000)).toBe((murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % 1000)
  })
})
