import { gunzipSync, zstdDecompressSync } from 'node:zlib'

import { Cursor } from './cursor.ts'

/** The producer of a batch; -1 and -1 if it is not idempotent. */
interface Producer {
  readonly id: string
  readonly epoch: number
}

/** A record batch as stored in a partition: https://kafka.apache.org/documentation/#recordbatch */
export interface PlainBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly producer: Producer
  /** Whether it is the end of a transaction, without records. */
  readonly isMarker: boolean
  /** By the clock of the producer, or of the broker for a marker. Since 1970. */
  readonly timestampMs: number
  readonly records: readonly PlainRecord[]
}

export interface PlainRecord {
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

const at = {
  length: 8,
  magic: 16,
  attributes: 21,
  lastDelta: 23,
  firstTimestamp: 27,
  producerId: 43,
} as const
const epochAt = 51
const countAt = 57
const recordsAt = 61
const lengthEnd = 12
const compressionMask = 0b111
const markerFlag = 1 << 5

/** @param bytes of a fetch: whole batches, of which the last may be truncated */
export function batchesIn(bytes: Buffer): PlainBatch[] {
  const batches: PlainBatch[] = []
  for (let from = 0; from + lengthEnd <= bytes.length;) {
    const end = from + lengthEnd + bytes.readInt32BE(from + at.length)
    if (end > bytes.length) break
    batches.push(batchOf(bytes.subarray(from, end)))
    from = end
  }
  return batches
}

function batchOf(bytes: Buffer): PlainBatch {
  const magic = bytes.readInt8(at.magic)
  if (magic !== 2) throw new Error(`a batch of format ${magic}: the checker reads format 2`)
  const firstOffset = Number(bytes.readBigInt64BE(0))
  const attributes = bytes.readInt16BE(at.attributes)
  const isMarker = (attributes & markerFlag) !== 0
  const content = new Cursor(uncompressed(bytes.subarray(recordsAt), attributes & compressionMask))
  const count = isMarker ? 0 : bytes.readInt32BE(countAt)
  return {
    firstOffset,
    lastOffset: firstOffset + bytes.readInt32BE(at.lastDelta),
    producer: { id: String(bytes.readBigInt64BE(at.producerId)), epoch: bytes.readInt16BE(epochAt) },
    isMarker,
    timestampMs: Number(bytes.readBigInt64BE(at.firstTimestamp)),
    records: Array.from({ length: count }, () => recordOf(content, firstOffset)),
  }
}

/** Brokers compress snapshots, and other producers may compress too. */
function uncompressed(bytes: Buffer, compression: number): Buffer {
  if (compression === 0) return bytes
  if (compression === 1) return gunzipSync(bytes)
  if (compression === 4) return zstdDecompressSync(bytes)
  throw new Error(`the checker does not support compression ${compression}`)
}

function recordOf(content: Cursor, firstOffset: number): PlainRecord {
  content.varint() // its length
  content.int8() // attributes
  content.varint() // timestamp
  const offset = firstOffset + content.varint()
  const sized = (): Buffer | null => {
    const length = content.varint()
    return length < 0 ? null : content.bytes(length)
  }
  const [key, value] = [sized(), sized()]
  const headers = Array.from({ length: content.varint() }, () => [String(sized()), String(sized())] as const)
  return { offset, key, value, headers: Object.fromEntries(headers) }
}
