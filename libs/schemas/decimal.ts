const decimalPattern = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?$/

/** Decimals of this many digits fit into 48 bits, which Buffer reads and writes as one number. */
const fastDigitsMax = 14
const fastBytesMax = 6

/** How a decimal is stored: an unscaled whole number, big-endian two's complement, so 12.34 at scale 2 is 1234. */
interface DecimalFormat {
  /** Total digits. */
  readonly precision: number
  /** Digits after the decimal point. */
  readonly scale: number
  /** Bytes of Avro's `fixed`; without it as few bytes as needed. */
  readonly size?: number
}

/**
 * The bytes of a decimal such as `-12.30`; undefined when the text is not a decimal or has more digits than the format
 * allows.
 */
export function parseDecimal(text: string, format: DecimalFormat): Buffer | undefined {
  const match = decimalPattern.exec(text)
  if (match === null) return undefined
  const fraction = match[3] ?? ''
  if (fraction.length > format.scale) return undefined
  const digits = (match[2] ?? '') + fraction.padEnd(format.scale, '0')
  if (significant(digits) > format.precision) return undefined
  const unscaled = `${match[1] ?? ''}${digits}`
  if (digits.length <= fastDigitsMax && format.size === undefined) return smallBytes(Number(unscaled))
  return bigBytes(BigInt(unscaled), format.size)
}

function significant(digits: string): number {
  let zeros = 0
  while (digits[zeros] === '0') zeros++
  return digits.length - zeros
}

function smallBytes(unscaled: number): Buffer {
  let length = 1
  for (let limit = 128; unscaled < -limit || unscaled >= limit; limit *= 256) length++
  const bytes = Buffer.allocUnsafe(length)
  bytes.writeIntBE(unscaled, 0, length)
  return bytes
}

function bigBytes(unscaled: bigint, size?: number): Buffer {
  let length = size ?? 1
  while (BigInt.asIntN(length * 8, unscaled) !== unscaled) length++
  const hex = BigInt.asUintN(length * 8, unscaled).toString(16)
  return Buffer.from(hex.padStart(length * 2, '0'), 'hex')
}

/** The text of a decimal, with all digits of its scale: `12.30`, `-0.05`. */
export function formatDecimal(bytes: Buffer, scale: number): string {
  const unscaled = readUnscaled(bytes)
  const negative = unscaled.startsWith('-')
  const digits = (negative ? unscaled.slice(1) : unscaled).padStart(scale + 1, '0')
  const point = digits.length - scale
  const text = scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`
  return negative ? `-${text}` : text
}

function readUnscaled(bytes: Buffer): string {
  if (bytes.length === 0) return '0'
  if (bytes.length <= fastBytesMax) return String(bytes.readIntBE(0, bytes.length))
  return String(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`)))
}

/** The most digits that always fit a `fixed` of this many bytes. */
export const precisionMax = (size: number): number => String(2n ** BigInt(size * 8 - 1) - 1n).length - 1
