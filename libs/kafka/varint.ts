/** Where reading stands in some bytes. */
export interface VarintCursor {
  readonly bytes: Buffer
  position: number
}

// Kafka writes signed numbers as zigzag varints (Protocol Buffers' encoding): small magnitudes of either sign are short.
// Lengths and offsets fit 31 bits; timestamps may not, so all is done in numbers, exact up to 2^53.

const zigzag = (value: number): number => (value >= 0 ? value * 2 : -value * 2 - 1)

/** The most bytes that {@link writeVarint} takes. */
export const varintBytesMax = 8

/** Writes a whole number of up to 52 bits and returns the position after it. */
export function writeVarint(target: Buffer, position: number, value: number): number {
  let rest = zigzag(value)
  let next = position
  while (rest >= 0x80) {
    target[next++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  target[next++] = rest
  return next
}

/** Reads a number written by {@link writeVarint} and moves the cursor after it. */
export function readVarint(cursor: VarintCursor): number {
  const { bytes } = cursor
  let byte = bytes[cursor.position++] ?? 0
  if (byte < 0x80) return byte & 1 ? -(byte + 1) / 2 : byte / 2
  let value = byte & 0x7f
  for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
    byte = bytes[cursor.position++] ?? 0
    value += (byte & 0x7f) * scale
  }
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2
}
