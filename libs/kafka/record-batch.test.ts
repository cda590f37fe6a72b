import { compressionsAlgorithms, crc32c, Reader, readRecordsBatches } from '@platformatic/kafka'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { encodeBatch, type LogRecord, splitBatches, type StoredBatch } from './record-batch.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const anyRecord: fc.Arbitrary<LogRecord> = fc.record({
  key: bytes(20),
  value: fc.option(bytes(300)),
  headers: fc.array(
    fc.tuple(fc.string({ unit: 'grapheme' }), fc.oneof(bytes(90), fc.string({ unit: 'grapheme' }))),
    {
      maxLength: 12,
    },
  ),
  timestampMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
})
const anyRecords = fc.array(anyRecord, { minLength: 1, maxLength: 30 })
const producer = { producerId: 4711n, epoch: 12, sequence: 2 ** 31 - 5 }

const only = (batches: readonly StoredBatch[]): StoredBatch => {
  expect(batches).toHaveLength(1)
  return batches[0] as StoredBatch
}

const stored = (record: LogRecord, offset: number) => ({
  ...record,
  offset,
  headers: record.headers.map(([name, value]) => [name, Buffer.from(value)]),
})

/** The batch as a broker would store it at this offset. */
function storedAt(batch: Buffer, offset: number): Buffer {
  const copy = Buffer.from(batch)
  copy.writeBigInt64BE(BigInt(offset), 0)
  return copy
}

test('records survive a round trip, with offsets relative to the batch’s', () => {
  fc.assert(
    fc.property(anyRecords, fc.nat(1e9), (records, offset) => {
      const batch = only(splitBatches(storedAt(encodeBatch(records, producer), offset)))
      expect(batch.records()).toEqual(records.map((record, index) => stored(record, offset + index)))
      expect(batch).toMatchObject({
        baseOffset: offset,
        lastOffset: offset + records.length - 1,
        isControl: false,
        producerId: producer.producerId,
        epoch: producer.epoch,
      })
    }),
  )
})

test('another client reads the same batch, and its checksum is correct', () => {
  fc.assert(
    fc.property(anyRecords, (records) => {
      const encoded = encodeBatch(records, producer)
      const [batch] = readRecordsBatches(Reader.from(encoded))
      expect(batch).toMatchObject({
        magic: 2,
        length: encoded.length - 12,
        lastOffsetDelta: records.length - 1,
        firstTimestamp: BigInt(records[0]?.timestampMs ?? 0),
        maxTimestamp: BigInt(Math.max(...records.map(({ timestampMs }) => timestampMs))),
        producerId: producer.producerId,
        producerEpoch: producer.epoch,
        firstSequence: producer.sequence,
        crc: crc32c(encoded.subarray(21)),
      })
      expect(batch?.records.map(({ value }) => value)).toEqual(records.map(({ value }) => value))
      expect(batch?.records.map(({ offsetDelta }) => offsetDelta)).toEqual([...records.keys()])
    }),
  )
})

test('a range cuts a batch at both ends', () => {
  fc.assert(
    fc.property(anyRecords, fc.nat(40), fc.nat(40), (records, from, until) => {
      const batch = only(splitBatches(encodeBatch(records, producer)))
      const expected = records.map(stored).filter(({ offset }) => offset >= from && offset < until)
      expect(batch.records(from, until)).toEqual(expected)
    }),
  )
})

const record: LogRecord = { key: Buffer.from('k'), value: Buffer.from('v'), headers: [], timestampMs: 5 }

describe('fetched bytes', () => {
  const first = storedAt(encodeBatch([record, record], producer), 10)
  const second = storedAt(encodeBatch([record], producer), 13)

  test('hold consecutive batches; a last one that is cut off is left out', () => {
    const both = Buffer.concat([first, second])
    for (let cut = 0; cut <= second.length; cut++) {
      const found = splitBatches(both.subarray(0, both.length - cut)).map(({ baseOffset }) => baseOffset)
      expect(found).toEqual(cut === 0 ? [10, 13] : [10])
    }
  })

  test('hold transaction markers, which have no data records', () => {
    const marker = Buffer.from(first)
    marker.writeInt16BE(0b11_0000, 21)
    const batch = only(splitBatches(marker))
    expect(batch.isControl).toBe(true)
    expect(batch.records()).toEqual([])
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('may be compressed with %s by the broker', (name) => {
    const plain = encodeBatch([record, record], producer)
    const { compressSync, bitmask } = compressionsAlgorithms[name]
    const compressed = Buffer.concat([plain.subarray(0, 61), compressSync(plain.subarray(61))])
    compressed.writeInt32BE(compressed.length - 12, 8)
    compressed.writeInt16BE(bitmask, 21)
    expect(only(splitBatches(compressed)).records()).toEqual([record, record].map(stored))
  })

  test('of an unknown compression are an error that names it', () => {
    const odd = Buffer.from(first)
    odd.writeInt16BE(7, 21)
    expect(() => only(splitBatches(odd)).records()).toThrow('batch at offset 10 has unknown compression 7')
  })
})

test('more header names than are cached are still written', () => {
  const headers = Array.from({ length: 600 }, (_, index) => [`name-${index}`, 'x'] as const)
  const batch = only(splitBatches(encodeBatch([{ ...record, headers }], producer)))
  expect(batch.records()[0]?.headers.map(([name]) => name)).toEqual(headers.map(([name]) => name))
})
