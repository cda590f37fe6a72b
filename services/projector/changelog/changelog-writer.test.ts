import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'

import { batchOverheadBytes, LogError, type LogOutcome, type LogRecord, recordBytesBound } from '#kafka'

import { batchesOf, ChangelogWriter } from './changelog-writer.ts'

const recordOf = (bytes: number): LogRecord => ({
  key: Buffer.from('k'),
  value: Buffer.alloc(bytes),
  headers: [],
  timestampMs: 0,
})

const bytesOf = (batch: readonly LogRecord[]): number =>
  batch.map(recordBytesBound).reduce((sum, bytes) => sum + bytes, batchOverheadBytes)

test('batches contain all records in order, within their bounds, in the fewest batches', () => {
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

afterEach(() => {
  vi.useRealTimers()
})

const view = { key: 'a', json: null, revision: 1, changedAtMs: 0 }

/** A writer whose appends to each partition end with an outcome, and the number of its take-overs. */
function writerOf(outcomes: readonly LogOutcome[]) {
  const spent = { epochs: 0 }
  const writer = new ChangelogWriter({
    cluster: undefined as never,
    codec: undefined as never,
    projection: { name: 'counts' },
    partitions: outcomes.length,
    messageBytesMax: 1_000,
    openLog: (partition) => ({
      partition,
      takeOver: () => Promise.resolve({ epoch: spent.epochs++, producerId: 1n, endOffset: 0, topicId: '' }),
      append: () => Promise.reject(new LogError(outcomes[partition] ?? 'unknown', 'no answer')),
      renew: () => Promise.reject(new LogError(outcomes[partition] ?? 'unknown', 'no answer')),
    }),
  })
  return { writer, spent }
}

test('take-overs of a partition whose appends repeatedly have an unknown outcome are paced', async () => {
  vi.useFakeTimers()
  const { writer, spent } = writerOf(['unknown'])
  const codes = new Set<string>()
  for (let second = 0; second < 3_600; second++) {
    const failed = await writer
      .takeOver()
      .then(() => writer.publish('g1', [view]))
      .catch((error: unknown) => error)
    codes.add((failed as LogError).outcome)
    vi.advanceTimersByTime(1_000)
  }
  expect(spent.epochs).toBeGreaterThan(30)
  expect(spent.epochs).toBeLessThanOrEqual(10 + 3 * 60)
  expect([...codes].sort()).toEqual(['unavailable', 'unknown'])
})

test.for(['fenced', 'unknown', 'take-over', 'log-replaced'] as const)(
  'a partition must be taken over again after an append that ended as %s',
  async (outcome) => {
    const { writer, spent } = writerOf([outcome])
    for (let round = 1; round <= 2; round++) {
      await writer.takeOver()
      await expect(writer.publish('g1', [view])).rejects.toMatchObject({ outcome })
      expect(spent.epochs).toBe(round)
    }
  },
)

test.for(['fenced', 'log-replaced'] as const)(
  'an error %s, which ends the writer, takes precedence over errors of other partitions',
  async (outcome) => {
    const { writer } = writerOf(['unknown', outcome])
    await writer.takeOver()
    await expect(writer.renew()).rejects.toMatchObject({ outcome })
  },
)
