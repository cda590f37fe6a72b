import fc from 'fast-check'
import { expect, test } from 'vitest'

import { PieceCache, type DecodedPiece } from './piece-cache.ts'

/** Consecutive offsets, each with an item of a hundred bytes except for the last ones. */
const piece = (from: number, count: number, markers = 0): DecodedPiece<number> => ({
  items: Array.from({ length: count }, (_, n) => from + n),
  from,
  nextOffset: from + count + markers,
  highWatermark: from + count + markers,
  bytes: count * 100,
})

test('a piece is found by the offsets that it covers, markers included, and by no others', () => {
  const kept = new PieceCache<number>(10_000)
  kept.add('a', piece(10, 3, 2))
  kept.add('a', piece(15, 2))
  kept.add('b', piece(0, 5))
  for (const offset of [10, 12, 13, 14]) expect(kept.at('a', offset)?.from).toBe(10)
  for (const offset of [15, 16]) expect(kept.at('a', offset)?.from).toBe(15)
  for (const offset of [9, 17, 0]) expect(kept.at('a', offset)).toBeUndefined()
  expect(kept.at('b', 4)?.from).toBe(0)
  expect(kept.at('c', 4)).toBeUndefined()
  expect(kept.bytes).toBe(1_000)
})

test('the least recently used piece of all partitions is evicted first', () => {
  const kept = new PieceCache<number>(1_000)
  kept.add('a', piece(0, 4))
  kept.add('b', piece(0, 4))
  expect(kept.at('a', 0)).toBeDefined()
  kept.add('c', piece(0, 4))
  expect([kept.at('a', 0), kept.at('b', 0), kept.at('c', 0)].map((found) => found?.bytes)).toEqual([
    400,
    undefined,
    400,
  ])
})

test('a piece that covers no offset, or exceeds the bound, is not kept', () => {
  const kept = new PieceCache<number>(1_000)
  kept.add('a', piece(0, 0))
  kept.add('a', piece(0, 11))
  expect(kept.at('a', 0)).toBeUndefined()
  expect(kept.bytes).toBe(0)
})

test('forgets a partition', () => {
  const kept = new PieceCache<number>(10_000)
  kept.add('a', piece(0, 5))
  kept.add('a', piece(5, 5))
  kept.add('b', piece(0, 5))
  kept.forget('a')
  expect([kept.at('a', 0), kept.at('a', 5), kept.at('b', 0)?.from]).toEqual([undefined, undefined, 0])
  expect(kept.bytes).toBe(500)
})

test('never exceeds its bound, and always returns a piece that covers the offset', () => {
  const someAdd = fc.record({
    source: fc.constantFrom('a', 'b'),
    from: fc.nat(60),
    count: fc.nat(12),
    markers: fc.nat(3),
  })
  fc.assert(
    fc.property(
      fc.array(someAdd, { maxLength: 60 }),
      fc.integer({ min: 100, max: 3_000 }),
      (adds, bytesMax) => {
        const kept = new PieceCache<number>(bytesMax)
        for (const { source, from, count, markers } of adds) {
          kept.add(source, piece(from, count, markers))
          expect(kept.bytes).toBeLessThanOrEqual(bytesMax)
          for (let offset = 0; offset < 80; offset++) {
            const found = kept.at(source, offset)
            if (found === undefined) continue
            expect(found.from).toBeLessThanOrEqual(offset)
            expect(offset).toBeLessThan(found.nextOffset)
          }
        }
      },
    ),
    { numRuns: 100 },
  )
})
