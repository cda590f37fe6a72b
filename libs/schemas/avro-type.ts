import avro from 'avsc'

/** Whole numbers up to this size can be doubled (zigzag) without losing precision. */
const doublableMax = 2 ** 52
/** Seven bytes of a varint hold 49 bits. */
const exactVarintBytesMax = 7

/**
 * Avro's long with its full range: a number within 2^53, a bigint beyond. avsc's own long throws beyond 2^53. The
 * varint is coded here because avsc passes it unparsed (`noUnpack`).
 */
const longType = avro.types.LongType.__with(
  {
    toBuffer: (value: number | bigint) => writeVarint(value),
    fromBuffer: (bytes: Buffer) => readVarint(bytes),
    fromJSON: (value: number | bigint) => value,
    toJSON: (value: number | bigint) => value,
    isValid: (value: unknown) => typeof value === 'bigint' || Number.isSafeInteger(value),
    compare: (a: number | bigint, b: number | bigint) => (a < b ? -1 : Number(a > b)),
  },
  true,
)

function writeVarint(value: number | bigint): Buffer {
  const bytes: number[] = []
  if (typeof value === 'number' && Math.abs(value) < doublableMax) {
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
    bytes.push(rest)
  } else {
    const whole = BigInt(value)
    let rest = BigInt.asUintN(64, (whole << 1n) ^ (whole >> 63n))
    for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128)
    bytes.push(Number(rest))
  }
  return Buffer.from(bytes)
}

function readVarint(bytes: Buffer): number | bigint {
  if (bytes.length <= exactVarintBytesMax) {
    let zigzag = 0
    for (let at = bytes.length - 1; at >= 0; at--) zigzag = zigzag * 128 + ((bytes[at] ?? 0) & 127)
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
  }
  let zigzag = 0n
  for (let at = bytes.length - 1; at >= 0; at--) zigzag = (zigzag << 7n) | BigInt((bytes[at] ?? 0) & 127)
  const value = BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n))
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

const isLong = (schema: unknown): boolean =>
  schema === 'long' ||
  (typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'long')

/**
 * avsc's type of a schema, for bytes only. Logical types are left to the mapping (mapping.ts), longs keep their full
 * range, and union values are always wrapped, so that the branch of a value is never guessed.
 * @param schema an Avro schema as JSON
 * @throws Error with avsc's message when the schema is malformed
 */
export function avroTypeOf(schema: unknown): avro.Type {
  return avro.Type.forSchema(schema as avro.Type, {
    wrapUnions: 'always',
    omitRecordMethods: true,
    typeHook: (part) => (isLong(part) ? longType : undefined),
  })
}
