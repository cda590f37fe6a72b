import { compressionsAlgorithmsByBitmask, crc32c } from '@platformatic/kafka'

import { readSignedVarint, varintBytesMax, type VarintCursor, writeSignedVarint } from '#varint'

/** One record to append. */
export interface LogRecord {
  readonly key: Buffer
  /** Null is a tombstone: it deletes the key from a compacted topic. */
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: string, value: Buffer | string])[]
  /** Milliseconds since 1970. */
  readonly timestampMs: number
}

/** One record in the log. */
export interface StoredRecord {
  readonly offset: number
  readonly key: Buffer
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: string, value: Buffer])[]
  readonly timestampMs: number
}

/** The producer of a batch, and the batch's place in that producer's sequence. */
interface BatchProducer {
  readonly producerId: bigint
  readonly epoch: number
  readonly sequence: number
}

// The layout of a record batch, magic 2: https://kafka.apache.org/documentation/#recordbatch
const at = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const
const lengthEnd = 12
/** Size of a batch without its records. */
export const batchOverheadBytes = at.records
const compressionMask = 0b111
const controlFlag = 1 << 5

// Records of one kind always have the same few header names. The bound guards against names generated at run time.
const namesKeptMax = 256
const sizedNames = new Map<string, Buffer>()

/** A header's name as encoded: its length, then its bytes. */
function sizedName(name: string): Buffer {
  const known = sizedNames.get(name)
  if (known !== undefined) return known
  const sized = Buffer.allocUnsafe(varintBytesMax + Buffer.byteLength(name))
  const written = sized.subarray(0, writeText(sized, 0, name))
  if (sizedNames.size < namesKeptMax) sizedNames.set(name, written)
  return written
}

const utf8BytesMax = 3

/** An upper bound for the record's bytes in a batch. An exact measurement would cost as much as writing. */
export function recordBytesBound({ key, value, headers }: LogRecord): number {
  let bound = 6 * varintBytesMax + key.length + (value?.length ?? 0)
  for (const [name, content] of headers) {
    const bytes = typeof content === 'string' ? content.length * utf8BytesMax : content.length
    bound += 2 * varintBytesMax + name.length * utf8BytesMax + bytes
  }
  return bound
}

function writeSized(target: Buffer, position: number, bytes: Buffer): number {
  const start = writeSignedVarint(target, position, bytes.length)
  target.set(bytes, start)
  return start + bytes.length
}

const noValueLength = -1

const writeValue = (target: Buffer, position: number, value: Buffer | null): number =>
  value === null ? writeSignedVarint(target, position, noValueLength) : writeSized(target, position, value)

function writeText(target: Buffer, position: number, text: string): number {
  const start = writeSignedVarint(target, position, Buffer.byteLength(text))
  return start + target.write(text, start)
}

function writeHeaders(target: Buffer, position: number, headers: LogRecord['headers']): number {
  let next = writeSignedVarint(target, position, headers.length)
  for (const [name, value] of headers) {
    const sized = sizedName(name)
    target.set(sized, next)
    next += sized.length
    next = typeof value === 'string' ? writeText(target, next, value) : writeSized(target, next, value)
  }
  return next
}

/** Writes a record and returns the position after it. Its length comes first but is known last, so the body is moved next to it. */
function writeRecord(
  target: Buffer,
  position: number,
  record: LogRecord,
  index: number,
  delta: number,
): number {
  const start = position + varintBytesMax
  target[start] = 0 // attributes: none are defined
  let end = writeSignedVarint(target, start + 1, delta)
  end = writeSignedVarint(target, end, index)
  end = writeSized(target, end, record.key)
  end = writeValue(target, end, record.value)
  end = writeHeaders(target, end, record.headers)
  const body = writeSignedVarint(target, position, end - start)
  target.copyWithin(body, start, end)
  return body + end - start
}

const latest = (records: readonly LogRecord[]): number => {
  let max = 0
  for (const { timestampMs } of records) if (timestampMs > max) max = timestampMs
  return max
}

/** Encodes records as one batch, uncompressed, in one buffer. A retry sends the same bytes. */
export function encodeBatch(records: readonly LogRecord[], producer: BatchProducer): Buffer {
  const baseTimestampMs = records[0]?.timestampMs ?? 0
  const bound = records.reduce<number>((sum, record) => sum + recordBytesBound(record), batchOverheadBytes)
  const target = Buffer.allocUnsafe(bound)
  let end: number = at.records
  for (const [index, record] of records.entries()) {
    end = writeRecord(target, end, record, index, record.timestampMs - baseTimestampMs)
  }
  const batch = target.subarray(0, end)
  batch.writeBigInt64BE(0n, at.baseOffset)
  batch.writeInt32BE(end - lengthEnd, at.batchLength)
  batch.writeInt32BE(-1, at.leaderEpoch)
  batch.writeInt8(2, at.magic)
  batch.writeInt16BE(0, at.attributes)
  batch.writeInt32BE(records.length - 1, at.lastOffsetDelta)
  batch.writeBigInt64BE(BigInt(baseTimestampMs), at.baseTimestamp)
  batch.writeBigInt64BE(BigInt(latest(records)), at.maxTimestamp)
  batch.writeBigInt64BE(producer.producerId, at.producerId)
  batch.writeInt16BE(producer.epoch, at.producerEpoch)
  batch.writeInt32BE(producer.sequence, at.baseSequence)
  batch.writeInt32BE(records.length, at.recordCount)
  batch.writeUInt32BE(crc32c(batch.subarray(at.attributes)), at.crc)
  return batch
}

/** One fetched batch. Its records are decoded on demand. */
export class StoredBatch {
  readonly baseOffset: number
  /** The offset of the last record; the next batch starts after it. */
  readonly lastOffset: number
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.baseOffset = Number(bytes.readBigInt64BE(at.baseOffset))
    this.lastOffset = this.baseOffset + bytes.readInt32BE(at.lastOffsetDelta)
  }

  /** Whether it holds a transaction marker instead of data records. */
  get isControl(): boolean {
    return (this.#bytes.readInt16BE(at.attributes) & controlFlag) !== 0
  }

  get producerId(): bigint {
    return this.#bytes.readBigInt64BE(at.producerId)
  }

  get epoch(): number {
    return this.#bytes.readInt16BE(at.producerEpoch)
  }

  /** Whether this producer wrote it under this epoch. */
  isOf({ producerId, epoch }: Pick<BatchProducer, 'producerId' | 'epoch'>): boolean {
    return this.epoch === epoch && this.producerId === producerId
  }

  /** Decodes the records from `from` (inclusive) to `until` (exclusive); a control batch has none. Values point into the fetched bytes. */
  records(from = 0, until = Infinity): StoredRecord[] {
    if (this.isControl) return []
    const cursor = { bytes: this.#payload(), position: 0 }
    const baseTimestampMs = Number(this.#bytes.readBigInt64BE(at.baseTimestamp))
    const count = this.#bytes.readInt32BE(at.recordCount)
    const records: StoredRecord[] = []
    for (let index = 0; index < count; index++) {
      const byteLength = readSignedVarint(cursor)
      const end = cursor.position + byteLength
      cursor.position += 1 // attributes: none are defined
      const timestampMs = baseTimestampMs + readSignedVarint(cursor)
      const offset = this.baseOffset + readSignedVarint(cursor)
      if (offset >= until) break
      if (offset >= from) records.push(readRecord(cursor, offset, timestampMs))
      cursor.position = end
    }
    return records
  }

  /** The records' bytes. A broker compresses them if the topic's `compression.type` is set so. */
  #payload(): Buffer {
    const payload = this.#bytes.subarray(at.records)
    const compression = this.#bytes.readInt16BE(at.attributes) & compressionMask
    if (compression === 0) return payload
    const algorithm = compressionsAlgorithmsByBitmask[String(compression)]
    if (algorithm === undefined) {
      throw new Error(`batch at offset ${this.baseOffset} has unknown compression ${compression}`)
    }
    return algorithm.decompressSync(payload)
  }
}

interface RecordCursor extends VarintCursor {
  readonly bytes: Buffer
}

const noBytes = Buffer.alloc(0)

const readSized = (cursor: RecordCursor): Buffer => readValue(cursor) ?? noBytes

function readValue(cursor: RecordCursor): Buffer | null {
  const length = readSignedVarint(cursor)
  if (length < 0) return null
  const start = cursor.position
  cursor.position += length
  return cursor.bytes.subarray(start, cursor.position)
}

// Names repeat: comparing bytes with the name last seen in a slot is cheaper than decoding them.
const nameSlots = 256
const seenNames = new Array<{ readonly bytes: Buffer; readonly text: string } | undefined>(nameSlots)

function slotOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0
  for (let index = start; index < end; index++) hash = Math.imul(hash, 31) + (bytes[index] ?? 0)
  return (hash >>> 0) % nameSlots
}

function holdsAt(bytes: Buffer, start: number, end: number, name: Buffer): boolean {
  if (name.length !== end - start) return false
  for (let index = 0; index < name.length; index++) if (bytes[start + index] !== name[index]) return false
  return true
}

function readName(cursor: RecordCursor): string {
  const length = readSignedVarint(cursor)
  const start = cursor.position
  cursor.position += length
  const slot = slotOf(cursor.bytes, start, cursor.position)
  const seen = seenNames[slot]
  if (seen !== undefined && holdsAt(cursor.bytes, start, cursor.position, seen.bytes)) return seen.text
  const bytes = Buffer.from(cursor.bytes.subarray(start, cursor.position))
  const text = bytes.toString()
  seenNames[slot] = { bytes, text }
  return text
}

function readHeaders(cursor: RecordCursor): StoredRecord['headers'] {
  const headers: [string, Buffer][] = []
  for (let left = readSignedVarint(cursor); left > 0; left--)
    headers.push([readName(cursor), readSized(cursor)])
  return headers
}

function readRecord(cursor: RecordCursor, offset: number, timestampMs: number): StoredRecord {
  const key = readSized(cursor)
  const value = readValue(cursor)
  return { offset, key, value, headers: readHeaders(cursor), timestampMs }
}

/** Splits fetched bytes into batches. A broker cuts its answer at a size, so the last batch may be incomplete; it is left out. */
export function splitBatches(bytes: Buffer): StoredBatch[] {
  const batches: StoredBatch[] = []
  for (let start = 0; start + at.records <= bytes.length;) {
    const end = start + lengthEnd + bytes.readInt32BE(start + at.batchLength)
    if (end > bytes.length) break
    batches.push(new StoredBatch(bytes.subarray(start, end)))
    start = end
  }
  return batches
}
