import { readVarint, varintLength, writeVarint } from '#varint'

/**
 * Offsets of contiguous versions, packed: the first one, then the distance of each to the one before, each as an unsigned
 * varint. Markers of the log only make a distance larger. The scripts read and extend the same form.
 * @returns where in `bytes` the next byte goes; {@link packedLength} is how many are needed.
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

/** How many bytes {@link packOffsets} needs. */
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
