/** A position in bytes that are being read. */
export interface VarintCursor {
  readonly bytes: Uint8Array
  position: number
}

// Variable-length integers as Protocol Buffers, Kafka and Avro encode them: seven bits a byte, the lowest first
// (https://protobuf.dev/programming-guides/encoding/#varints). Shifts would cut at 32 bits; offsets and timestamps are larger,
// so the arithmetic uses numbers, exact up to 2^53.

/** The largest number of bytes of one integer. */
export const varintBytesMax = 8

/** Writes a whole number from 0 to 2^53 - 1 and returns the position after it. */
export function writeVarint(target: Uint8Array, position: number, value: number): number {
  let rest = value
  let next = position
  while (rest >= 0x80) {
    target[next++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  target[next++] = rest
  return next
}

/**
 * Reads a number written by {@link writeVarint} and moves the cursor after it. If the bytes end within the number, the
 * cursor is past the end.
 */
export function readVarint(cursor: VarintCursor): number {
  const { bytes } = cursor
  let byte = bytes[cursor.position++] ?? 0
  if (byte < 0x80) return byte
  let value = byte & 0x7f
  for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
    byte = bytes[cursor.position++] ?? 0
    value += (byte & 0x7f) * scale
  }
  return value
}

/** The number of bytes that {@link writeVarint} writes for a number. */
export function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1
  return length
}

/** Writes a whole number of up to 52 bits, zigzag encoded: small magnitudes of either sign are short. */
export const writeSignedVarint = (target: Uint8Array, position: number, value: number): number =>
  writeVarint(target, position, value >= 0 ? value * 2 : -value * 2 - 1)

/** Reads a number written by {@link writeSignedVarint} and moves the cursor after it. */
export function readSignedVarint(cursor: VarintCursor): number {
  const zigzag = readVarint(cursor)
  if (zigzag <= 0x7fff_ffff) return (zigzag >>> 1) ^ -(zigzag & 1)
  return zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2
}
