import fc from 'fast-check'
import { parse } from 'uuid'
import { describe, expect, test } from 'vitest'

import { type EventId, parseEventId, type StreamId, type Version } from '#domain'

import type { IndexEntry } from './index-entry.ts'
import {
  firstSegment,
  idBlocks,
  idEntryBytes,
  segmentOf,
  segmentOffsets,
  StoredIds,
} from './remembered-ids.ts'

/** Distances between offsets: mostly none, sometimes to another segment, rarely very far. */
const distance = fc.oneof(
  { weight: 8, arbitrary: fc.constant(1) },
  { weight: 2, arbitrary: fc.integer({ min: 2, max: 3 * segmentOffsets }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 ** 40 }) },
)
const event = fc.record({
  eventId: fc.uuid().map((text): EventId => parseEventId(text)),
  version: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2 ** 32 - 1 })),
  distance,
})

/** Entries in the order of their offsets, which often cross the border between two segments. */
const entries = fc
  .record({
    start: fc.oneof(fc.nat(20), fc.integer({ min: segmentOffsets - 5, max: segmentOffsets + 5 })),
    events: fc.array(event, { maxLength: 60 }),
  })
  .map(({ start, events }) => {
    let offset = start
    return events.map(({ eventId, version, distance: step }): IndexEntry => ({
      streamId: 'order.a' as StreamId,
      ...{ eventId, version: version as Version, timestampMs: 0 },
      offset: (offset += step),
    }))
  })

/** The ids of stored bytes, as text of their 16 bytes, with their places. */
function read(bytes: Buffer): object[] {
  const found: object[] = []
  new StoredIds(bytes).forEach(({ buffer, byteOffset }, at, version, offset) =>
    found.push({ id: Buffer.from(buffer, byteOffset + at, 16).toString('hex'), version, offset }),
  )
  return found
}

const written = ({ eventId, version, offset }: IndexEntry): object => ({
  id: Buffer.from(parse(eventId)).toString('hex'),
  version,
  offset,
})

describe('the remembered ids of a commit', () => {
  test('are divided into one block for each segment, and read back as they were written', () => {
    fc.assert(
      fc.property(entries, (all) => {
        const blocks = idBlocks(all)
        const segments = blocks.map(({ segment }) => segment)
        expect(segments).toEqual([...new Set(all.map(({ offset }) => segmentOf(offset)))])
        for (const { segment, bytes } of blocks) {
          const own = all.filter(({ offset }) => segmentOf(offset) === segment)
          expect(read(bytes)).toEqual(own.map(written))
          expect(bytes).toHaveLength(own.length * idEntryBytes)
          expect(new StoredIds(bytes).count).toBe(own.length)
        }
      }),
    )
  })

  test('take 26 bytes each, and are read back when several commits have appended to a segment', () => {
    fc.assert(
      fc.property(entries, fc.nat(60), (all, cut) => {
        const commits = [all.slice(0, cut), all.slice(cut)]
        const bytes = Buffer.concat(commits.flatMap(idBlocks).map((block) => block.bytes))
        expect(bytes).toHaveLength(all.length * 26)
        expect(read(bytes)).toEqual(all.map(written))
      }),
    )
  })
})

test('the kept segments hold at least the last offsets of the window, and less than one segment more', () => {
  const bound = fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 2 ** 40 }))
  fc.assert(
    fc.property(fc.oneof(fc.nat(3 * segmentOffsets), fc.nat(2 ** 45)), bound, (nextOffset, idsMax) => {
      const first = firstSegment(nextOffset, idsMax)
      const firstOffset = first * segmentOffsets
      expect(firstOffset).toBeGreaterThanOrEqual(0)
      expect(firstOffset).toBeLessThanOrEqual(Math.max(0, nextOffset - idsMax))
      expect(nextOffset - firstOffset).toBeLessThan(idsMax + segmentOffsets)
    }),
  )
})
