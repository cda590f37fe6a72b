import { readVarint, varintLength, writeVarint } from '#varint'

/**
 * Offsets of contiguous versions, packed: the first one, then the distance of each to the one before, each as an unsigned
 * varint. Markers in the log only increase a distance. The scripts read and extend the same form.
 * @returns the position after the last written byte; {@link packedLength} is the number of bytes.
 */
export function packOffsets(bytes: Buffer, at: number, offsets: readonly number[]): number {
  let next = at
  let before = 0
  for (const offset of offsets) {
    next = writeVarint(bytes, next, offset - before)
    before = offset
  }
  return next
}

/** The number of bytes that {@link packOffsets} writes. */
export function packedLength(offsets: readonly number[]): number {
  let length = 0
  let before = 0
  for (const offset of offsets) {
    length += varintLength(offset - before)
    before = offset
  }
  return length
}

/** The reverse of {@link packOffsets}. @throws RangeError when the bytes end within a number. */
export function unpackOffsets(packed: Buffer): number[] {
  const offsets: number[] = []
  const cursor = { bytes: packed, position: 0 }
  let offset = 0
  while (cursor.position < packed.length) {
    offset += readVarint(cursor)
    offsets.push(offset)
  }
  if (cursor.position > packed.length) throw new RangeError('packed offsets end within a number')
  return offsets
}
