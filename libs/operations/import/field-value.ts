import { InvalidInputError, quote } from '#domain'

import { OperationError } from '../operation-error.ts'
import { type DateFormat, dateFormatOf, isoTime, namedFormats } from './date-format.ts'
import type { ColumnField } from './mapping-schema.ts'

/** Converts between the text of a column and the JSON value of a field. */
interface FieldValue {
  readonly expects: string
  /** Undefined if the text does not fit. */
  parse(text: string): unknown
  format(value: unknown): string
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** @param path the path of the field in the mapping @throws OperationError `invalid-request` for an invalid format. */
export function fieldValueOf(field: ColumnField, path: string): FieldValue {
  switch (field.type) {
    case 'integer':
      return integer
    case 'number':
      return number(field.decimalPoint ?? '.')
    case 'decimal':
      return decimal(field.decimalPoint ?? '.', field.scale)
    case 'boolean':
      return boolean(field.true ?? 'true', field.false ?? 'false')
    case 'date':
      return date(field.format ?? 'YYYY-MM-DD', field.zone, path)
    case 'timestamp':
      return timestamp(field.format, field.zone ?? 'Z', path)
    default:
      return { expects: 'text', parse: (text) => text, format: asText }
  }
}

/** Reads the text of columns after the `empty` rule was applied. @throws InvalidInputError that names the field and its columns. */
export function parseColumns(
  value: FieldValue,
  text: string,
  path: string,
  columns: readonly string[],
): unknown {
  const parsed = value.parse(text)
  if (parsed !== undefined) return parsed
  const source =
    columns.length === 1 ? `column ${columns[0] ?? ''} has` : `columns ${columns.join(', ')} give`
  throw new InvalidInputError(path, `${source} ${quote(text)}: expected ${value.expects}`)
}

/** Integers beyond 2^53 are text, as in all JSON of Annals. */
const integer: FieldValue = {
  expects: 'a whole number',
  parse(text) {
    if (!/^[+-]?\d{1,19}$/.test(text)) return undefined
    return Number.isSafeInteger(Number(text)) ? Number(text) : String(BigInt(text))
  },
  format: asText,
}

type Point = '.' | ','

const number = (point: Point): FieldValue => ({
  expects: `a number such as 12${point}5`,
  parse(text) {
    const isNumber = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(pointed(text, point))
    const value = Number(pointed(text, point))
    return isNumber && Number.isFinite(value) ? value : undefined
  },
  format: (value) => asText(value).replace('.', point),
})

/** A decimal with `scale` digits after the point, if that is given. Digits are never dropped. */
const decimal = (point: Point, scale: number | undefined): FieldValue => ({
  expects: `a decimal such as 12${point}34${scale === undefined ? '' : `, with at most ${scale} digits after the point`}`,
  parse(text) {
    const match = /^([+-]?)0*(\d+)(?:\.(\d+))?$/.exec(pointed(text, point))
    if (match === null) return undefined
    const [, sign, whole = '', fraction = ''] = match
    if (scale !== undefined && fraction.length > scale) return undefined
    const digits = fraction.padEnd(scale ?? 0, '0')
    return `${sign === '-' ? '-' : ''}${whole}${digits === '' ? '' : `.${digits}`}`
  },
  format: (value) => asText(value).replace('.', point),
})

/** The text with a decimal point. A text with a point is not a number if a comma is expected. */
const pointed = (text: string, point: Point): string =>
  point === '.' ? text : text.includes('.') ? '' : text.replace(',', '.')

const boolean = (yes: string, no: string): FieldValue => ({
  expects: `${quote(yes)} or ${quote(no)}`,
  parse: (text) => (text === yes ? true : text === no ? false : undefined),
  format: (value) => (value === true ? yes : no),
})

/** For a time with an offset from UTC, the day in the zone; otherwise the day in the text. */
const date = (pattern: string, zone: string | undefined, path: string): FieldValue => {
  const format = formatAt(pattern, path)
  if (zone !== undefined && !namedFormats.has(pattern)) {
    throw new OperationError(
      'invalid-request',
      `${path}.zone: a date as ${pattern} is the same in every zone: omit it, or use a format with a time (${[...namedFormats.keys()].join(', ')})`,
    )
  }
  const aheadMs = zoneMs(zone ?? 'Z')
  return {
    expects: `a date as ${pattern}`,
    parse(text) {
      const ms = format.parse(text)
      return isoTime(ms === undefined ? undefined : ms + aheadMs)?.slice(0, 10)
    },
    format: (value) => format.format(Date.parse(asText(value)) - aheadMs),
  }
}

/** Without a pattern the text must be ISO 8601; the schema checks that. */
const timestamp = (pattern: string | undefined, zone: string, path: string): FieldValue => {
  if (pattern === undefined) return { expects: 'a time', parse: (text) => text || undefined, format: asText }
  const format = formatAt(pattern, path)
  const aheadMs = namedFormats.has(pattern) ? 0 : zoneMs(zone)
  return {
    expects: `a time as ${pattern}`,
    parse(text) {
      const ms = format.parse(text)
      return isoTime(ms === undefined ? undefined : ms - aheadMs)
    },
    format: (value) => format.format(Date.parse(asText(value)) + aheadMs),
  }
}

function zoneMs(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(zone) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000
}

function formatAt(pattern: string, path: string): DateFormat {
  const format = namedFormats.get(pattern) ?? dateFormatOf(pattern)
  if (format !== undefined) return format
  throw new OperationError(
    'invalid-request',
    `${path}.format: ${quote(pattern)} has no YYYY, MM and DD, once each: expected e.g. YYYYMMDD, D.M.YYYY HH:mm:ss, ${[...namedFormats.keys()].join(', ')}`,
  )
}
