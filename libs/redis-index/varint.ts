/**
 * Offsets of contiguous versions, packed: the first one, then the distance of each to the one before, each as an unsigned
 * LEB128 varint (https://protobuf.dev/programming-guides/encoding/#varints). Markers of the log only make a distance larger.
 * The scripts read and extend the same form.
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
  let offset = 0
  let distance = 0
  let scale = 1
  for (const byte of packed) {
    distance += (byte & 0x7f) * scale
    scale *= 128
    if (byte >= 0x80) continue
    offset += distance
    offsets.push(offset)
    distance = 0
    scale = 1
  }
  if (scale !== 1) throw new RangeError('packed offsets end within a number')
  return offsets
}

export function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length += 1
  return length
}

// Shifts would cut at 32 bits; offsets go up to 2^48.
function writeVarint(bytes: Buffer, at: number, value: number): number {
  let next = at
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[next++] = (rest % 128) + 128
  bytes[next++] = rest
  return next
}
