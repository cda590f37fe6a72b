import fc from 'fast-check'
import { expect, test } from 'vitest'

import { batchOverheadBytes, type LogRecord, recordBytesBound } from '#kafka'

import { batchesOf } from './changelog-writer.ts'

const recordOf = (bytes: number): LogRecord => ({
  key: Buffer.from('k'),
  value: Buffer.alloc(bytes),
  headers: [],
  timestampMs: 0,
})

const bytesOf = (batch: readonly LogRecord[]): number =>
  batch.map(recordBytesBound).reduce((sum, bytes) => sum + bytes, batchOverheadBytes)

test('batches hold all records in order, none more than it may, and as few as that takes', () => {
  const bytesMax = 2_000
  fc.assert(
    fc.property(fc.array(fc.nat(1_500)), (sizes) => {
      const records = sizes.map(recordOf)
      const batches = batchesOf(records, bytesMax)
      expect(batches.flat()).toEqual(records)
      const bytes = batches.map(bytesOf)
      expect(Math.max(0, ...bytes)).toBeLessThanOrEqual(bytesMax)
      for (const [index, batch] of batches.entries()) {
        const next = batches[index + 1]?.[0]
        expect(batch.length).toBeGreaterThan(0)
        if (next !== undefined) expect((bytes[index] ?? 0) + recordBytesBound(next)).toBeGreaterThan(bytesMax)
      }
    }),
  )
})

test('a batch has at most 500 records', () => {
  const records = Array.from({ length: 1_100 }, () => recordOf(1))
  expect(batchesOf(records, 1 << 20).map(({ length }) => length)).toEqual([500, 500, 100])
})
