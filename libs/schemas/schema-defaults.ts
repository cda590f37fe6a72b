import { quote } from '#domain'

import { SchemaError } from './schema-error.ts'
import type { RecordShape, ScalarKind, Shape } from './shape.ts'

/**
 * Checks the defaults of all fields against the rules of Avro, as registries do. avsc accepts some invalid ones (an
 * object as the default of a string).
 * @throws SchemaError `malformed-schema` with the path of the first field whose default has another type
 */
export const checkDefaults = (shape: Shape): void => checkInside(shape, '', new Set())

function checkInside(shape: Shape, path: string, seen: Set<Shape>): void {
  if (shape.kind === 'record') checkFields(shape, path, seen)
  else if (shape.kind === 'array') checkInside(shape.items, `${path}[]`, seen)
  else if (shape.kind === 'map') checkInside(shape.values, `${path}[]`, seen)
  else if (shape.kind === 'union') for (const branch of shape.branches) checkInside(branch, path, seen)
}

function checkFields(record: RecordShape, path: string, seen: Set<Shape>): void {
  if (seen.has(record)) return
  seen.add(record)
  for (const { name, hasDefault, byDefault, shape } of record.fields) {
    const place = path === '' ? name : `${path}.${name}`
    if (hasDefault && !isDefaultOf(shape, byDefault)) throw wrongDefault(place, shape, byDefault)
    checkInside(shape, place, seen)
  }
}

/** In the JSON encoding of the Avro specification: bytes are text, and for a union the first branch counts. */
function isDefaultOf(shape: Shape, value: unknown): boolean {
  switch (shape.kind) {
    case 'record':
      return isObject(value) && isDefaultOfRecord(shape, value)
    case 'array':
      return Array.isArray(value) && value.every((item) => isDefaultOf(shape.items, item))
    case 'map':
      return isObject(value) && Object.values(value).every((part) => isDefaultOf(shape.values, part))
    case 'union': {
      const [first] = shape.branches
      return first !== undefined && isDefaultOf(first, value)
    }
    case 'enum':
    case 'fixed':
    case 'decimal':
      return typeof value === 'string'
    case 'safe-long':
      return Number.isSafeInteger(value)
    default:
      return isScalarDefault[carriedBy(shape.avroName)](value)
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isDefaultOfRecord = (shape: RecordShape, value: Readonly<Record<string, unknown>>): boolean =>
  shape.fields.every((field) =>
    Object.hasOwn(value, field.name) ? isDefaultOf(field.shape, value[field.name]) : field.hasDefault,
  )

type Primitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes'

/** Scalars are named after their underlying primitive type. */
const carriedBy = (avroName: string): Primitive => avroName as Primitive

const isText = (value: unknown): boolean => typeof value === 'string' && value.isWellFormed()
const isNumber = (value: unknown): boolean => Number.isFinite(value)

const isScalarDefault: Readonly<Record<Primitive, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  int: (value) => typeof value === 'number' && value === (value | 0),
  long: (value) => Number.isSafeInteger(value) || (typeof value === 'bigint' && isLong(value)),
  float: isNumber,
  double: isNumber,
  string: isText,
  bytes: (value) => typeof value === 'string',
}

const isLong = (value: bigint): boolean => BigInt.asIntN(64, value) === value

function wrongDefault(path: string, shape: Shape, value: unknown): SchemaError {
  const first = shape.kind === 'union' ? shape.branches[0] : undefined
  const expected =
    first === undefined ? article(shape.kind) : `${article(first.kind)}, the first of the union`
  return new SchemaError(
    'malformed-schema',
    `field ${path}: its default ${quote(value)} is invalid: expected that of ${expected}`,
  )
}

const article = (kind: Shape['kind'] | ScalarKind): string =>
  kind === 'null' ? 'null' : /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`
