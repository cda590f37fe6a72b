import type { Version } from '#domain'

import { unpackOffsets } from './packed-offsets.ts'

/**
 * The stored record of a stream under its aggregate id: a header of 22 bytes (big endian: version u32, first timestamp u48,
 * last timestamp u48, last offset u48), then the packed offsets of its last chunk of versions. Full chunks move to a hash
 * of their own, so that an append rewrites a bounded number of bytes however long the stream is.
 */
export interface StreamRecord {
  readonly version: Version
  readonly firstTimestampMs: number
  readonly lastTimestampMs: number
  readonly lastOffset: number
  /** The packed offsets of the last chunk's versions. */
  readonly chunk: Buffer
}

/**
 * The number of versions in a chunk. It is part of the stored form: scripts and stored chunks rely on it. Scripts keep a full chunk under
 * `<aggregate id>/<chunk>`, which is unambiguous for any id: the number follows the last slash.
 */
export const chunkEvents = 128

export const streamHeaderBytes = 22

/** The chunk that holds a version: 0 holds 1 to 128. */
export const chunkOf = (version: number): number => Math.floor((version - 1) / chunkEvents)

/** Writes a record's header. @returns the position of the chunk, which the caller writes next. */
export function writeStreamHeader(bytes: Buffer, at: number, record: Omit<StreamRecord, 'chunk'>): number {
  bytes.writeUInt32BE(record.version, at)
  bytes.writeUIntBE(record.firstTimestampMs, at + 4, 6)
  bytes.writeUIntBE(record.lastTimestampMs, at + 10, 6)
  bytes.writeUIntBE(record.lastOffset, at + 16, 6)
  return at + streamHeaderBytes
}

export function decodeStreamRecord(bytes: Buffer): StreamRecord {
  return {
    version: bytes.readUInt32BE(0) as Version,
    firstTimestampMs: bytes.readUIntBE(4, 6),
    lastTimestampMs: bytes.readUIntBE(10, 6),
    lastOffset: bytes.readUIntBE(16, 6),
    chunk: bytes.subarray(streamHeaderBytes),
  }
}

/** The offsets in chunks that start at version `fromVersion`, clipped to the requested versions. */
export function offsetsIn(
  packed: Buffer,
  chunk: number,
  fromVersion: number,
  toVersion: number,
): { readonly version: Version; readonly offset: number }[] {
  const first = chunk * chunkEvents + 1
  if (first > toVersion || first + chunkEvents <= fromVersion) return []
  return unpackOffsets(packed)
    .map((offset, index) => ({ version: (first + index) as Version, offset }))
    .filter(({ version }) => version >= fromVersion && version <= toVersion)
}
