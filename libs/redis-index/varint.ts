/**
 * Offsets of contiguous versions, packed: the first one, then the distance of each to the one before, each as an unsigned
 * LEB128 varint (https://protobuf.dev/programming-guides/encoding/#varints). Markers of the log only make a distance larger.
 * The scripts in lua.ts read and extend the same form.
 */
export function packOffsets(offsets: readonly number[]): Buffer {
  const bytes: number[] = []
  let before = 0
  for (const offset of offsets) {
    pushVarint(bytes, offset - before)
    before = offset
  }
  return Buffer.from(bytes)
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

/** How many bytes {@link packOffsets} needs for the first of its numbers. */
export function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length += 1
  return length
}

// Shifts would cut at 32 bits; offsets go up to 2^53.
function pushVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
}
