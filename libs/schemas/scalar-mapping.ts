import { formatDate, formatMicros, formatMillis, parseDate, parseMicros, parseMillis } from '#calendar'
import { formatDecimal, parseDecimal } from './decimal.ts'
import type { JsonKind, Mapping } from './json-mapping.ts'
import { Mismatch } from './mismatch.ts'
import type { ArrayShape, DecimalShape, MapShape, RecordShape, Shape, UnionShape } from './shape.ts'

type Composite = ArrayShape | MapShape | RecordShape | UnionShape

/** The mapping of a shape without nested shapes. */
export function scalarMapping(shape: Exclude<Shape, Composite>): Mapping {
  switch (shape.kind) {
    case 'decimal':
      return decimalMapping(shape)
    case 'fixed':
      return bytesMapping(`${shape.size} bytes in base64`, shape.size)
    case 'enum':
      return asItIs(
        `one of ${shape.symbols.join(', ')}`,
        'string',
        (json) => typeof json === 'string' && shape.symbols.includes(json),
      )
    default:
      return scalars[shape.kind]
  }
}

/** A value with the same form in JSON and in avsc. */
const asItIs = (expects: string, kind: JsonKind, fits: (json: unknown) => boolean): Mapping => ({
  expects,
  kinds: [kind],
  toAvro(json) {
    if (!fits(json)) throw Mismatch.of(expects, json)
    return json
  },
  fromAvro: (value) => value,
})

/** A value that is text in JSON. `parse` returns undefined for text that does not fit. */
const asText = (
  expects: string,
  parse: (text: string) => unknown,
  format: (value: never) => string,
): Mapping => ({
  expects,
  kinds: ['string'],
  toAvro(json) {
    const value = typeof json === 'string' ? parse(json) : undefined
    if (value === undefined) throw Mismatch.of(expects, json)
    return value
  },
  fromAvro: (value) => format(value as never),
})

const decimalMapping = (shape: DecimalShape): Mapping => {
  const example = shape.scale === 0 ? '12' : `12.${'34'.padEnd(shape.scale, '0').slice(0, shape.scale)}`
  return asText(
    `a decimal in a string, at most ${shape.precision} digits, ${shape.scale} of them after the point, e.g. "${example}"`,
    (text) => parseDecimal(text, shape),
    (bytes: Buffer) => formatDecimal(bytes, shape.scale),
  )
}

const bytesMapping = (expects: string, size?: number): Mapping =>
  asText(
    expects,
    (text) => {
      const bytes = Buffer.from(text, 'base64')
      const sound = bytes.toString('base64') === text && (size === undefined || bytes.length === size)
      return sound ? bytes : undefined
    },
    (bytes: Buffer) => bytes.toString('base64'),
  )

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whether a text is a UUID (RFC 9562), in letters of either case. */
export const isUuid = (text: string): boolean => uuidPattern.test(text)

const isText = (json: unknown): boolean => typeof json === 'string' && json.isWellFormed()

/** Whole numbers beyond 2^53, in the one form in which JSON can hold them exactly. */
function parseLong(text: string): bigint | undefined {
  if (!/^-?[1-9]\d{15,18}$/.test(text)) return undefined
  const value = BigInt(text)
  return BigInt.asIntN(64, value) === value && !Number.isSafeInteger(Number(text)) ? value : undefined
}

/** Whether a text is a whole number of 64 bits beyond 2^53, in the form in which such a long is written. */
export const isLongText = (text: string): boolean => parseLong(text) !== undefined

const long: Mapping = {
  expects: 'a whole number, beyond 2^53 in a string',
  kinds: ['number', 'string'],
  toAvro(json) {
    const value = typeof json === 'string' ? parseLong(json) : Number.isSafeInteger(json) ? json : undefined
    if (value === undefined) throw Mismatch.of(long.expects, json)
    return value
  },
  fromAvro: (value) => (typeof value === 'bigint' ? String(value) : value),
}

const safeLong: Mapping = {
  ...asItIs('a whole number within 2^53', 'number', Number.isSafeInteger),
  // Another program may have written a number beyond 2^53.
  fromAvro: (value) => long.fromAvro(value),
}

/** A floating-point number. JSON has no -0, so it is written as 0 and reads alike everywhere. */
const figure = (expects: string, fits: (json: number) => boolean): Mapping => ({
  expects,
  kinds: ['number'],
  toAvro(json) {
    if (typeof json !== 'number' || !fits(json)) throw Mismatch.of(expects, json)
    return json + 0
  },
  fromAvro: (value) => value,
})

const scalars = {
  null: asItIs('null', 'null', (json) => json === null),
  boolean: asItIs('true or false', 'boolean', (json) => typeof json === 'boolean'),
  int: asItIs(
    'a whole number of 32 bits',
    'number',
    (json) => typeof json === 'number' && json === (json | 0),
  ),
  long,
  'safe-long': safeLong,
  float: figure('a number of 32 bits, at most 3.4028234663852886e38', (json) =>
    Number.isFinite(Math.fround(json)),
  ),
  double: figure('a number', Number.isFinite),
  string: asItIs('a string', 'string', isText),
  bytes: bytesMapping('bytes in base64'),
  date: asText('a date such as "2024-05-31"', parseDate, formatDate),
  'timestamp-millis': asText('a time such as "2024-05-31T09:30:00.000Z"', parseMillis, formatMillis),
  'timestamp-micros': asText('a time such as "2024-05-31T09:30:00.000000Z"', parseMicros, formatMicros),
  uuid: asItIs('a UUID', 'string', (json) => typeof json === 'string' && isUuid(json)),
} as const satisfies Record<string, Mapping>
