const slotCount = 256
/** Longer texts are not kept. */
const keptBytesMax = 128
const slots = new Array<{ readonly bytes: Buffer; readonly text: string } | undefined>(slotCount)

/**
 * The text of bytes that many records share, such as the type of an event. Comparing them with the bytes last seen in a slot
 * is cheaper than decoding them.
 */
export function repeatedText(bytes: Buffer): string {
  if (bytes.length > keptBytesMax) return bytes.toString()
  const slot = (bytes.length * 31 + (bytes[0] ?? 0) * 7 + (bytes[bytes.length - 1] ?? 0)) % slotCount
  const seen = slots[slot]
  if (seen !== undefined && isSame(seen.bytes, bytes)) return seen.text
  const text = bytes.toString()
  slots[slot] = { bytes: kept(bytes), text }
  return text
}

/** A copy outside Node.js' pool: a small buffer of the pool would keep all of it. */
function kept(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}

function isSame(one: Buffer, other: Buffer): boolean {
  if (one.length !== other.length) return false
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false
  return true
}

/** Whether bytes are a text in UTF-8. */
export function isTextOf(bytes: Buffer, text: string): boolean {
  if (bytes.length === text.length) {
    let index = 0
    while (index < text.length && bytes[index] === text.charCodeAt(index) && (bytes[index] ?? 0) < 128)
      index++
    if (index === text.length) return true
  }
  return bytes.toString() === text
}
