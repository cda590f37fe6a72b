import { precisionMax } from './decimal.ts'
import { SchemaError } from './schema-error.ts'

export type ScalarKind =
  | 'null'
  | 'boolean'
  | 'int'
  | 'long'
  /** A `long` with `"annals.long": "number"`: within 2^53, so always a number in JSON. */
  | 'safe-long'
  | 'float'
  | 'double'
  | 'string'
  | 'bytes'
  | 'date'
  | 'timestamp-millis'
  | 'timestamp-micros'
  | 'uuid'

/** Every shape has the name by which avsc wraps its values in a union. */
interface Named {
  readonly avroName: string
}
interface ScalarShape extends Named {
  readonly kind: ScalarKind
}
export interface DecimalShape extends Named {
  readonly kind: 'decimal'
  readonly precision: number
  readonly scale: number
  /** Bytes, if it is stored in a `fixed`. */
  readonly size?: number
}
interface FixedShape extends Named {
  readonly kind: 'fixed'
  readonly size: number
}
export interface EnumShape extends Named {
  readonly kind: 'enum'
  readonly symbols: readonly string[]
  readonly default?: string
}
export interface ArrayShape extends Named {
  readonly kind: 'array'
  readonly items: Shape
}
export interface MapShape extends Named {
  readonly kind: 'map'
  readonly values: Shape
}
export interface UnionShape extends Named {
  readonly kind: 'union'
  readonly branches: readonly Shape[]
}
export interface FieldShape {
  readonly name: string
  readonly doc?: string
  readonly aliases: readonly string[]
  readonly hasDefault: boolean
  /** As in the schema, in the JSON encoding of Avro. */
  readonly byDefault?: unknown
  readonly shape: Shape
}
export interface RecordShape extends Named {
  readonly kind: 'record'
  readonly doc?: string
  readonly fields: readonly FieldShape[]
}

/**
 * An Avro schema with its logical types, in the form that mapping, compatibility and type generation need. Recursive
 * if the schema is.
 */
export type Shape =
  ScalarShape | DecimalShape | FixedShape | EnumShape | ArrayShape | MapShape | UnionShape | RecordShape

/** Logical types and the Avro types that carry them. */
const logicalTypes: Readonly<Record<string, readonly string[]>> = {
  decimal: ['bytes', 'fixed'],
  date: ['int'],
  'timestamp-millis': ['long'],
  'timestamp-micros': ['long'],
  uuid: ['string'],
}

type Json = Readonly<Record<string, unknown>>

interface Scope {
  readonly names: Map<string, Shape>
  readonly namespace: string
}

/** @param word in the schema file that the error is about; by default the last one of the message. */
const malformed = (message: string, word?: string): SchemaError =>
  new SchemaError('malformed-schema', message, word === undefined ? {} : { word })

/**
 * Reads the shape of a schema that avsc has accepted, so names, defaults and structure are known to be valid.
 * @throws SchemaError `malformed-schema` for what avsc accepts: an unknown or misplaced logical type, a decimal
 * without a valid precision and scale
 */
export function shapeOf(schema: unknown): Shape {
  return parse(schema, { names: new Map(), namespace: '' })
}

function parse(schema: unknown, scope: Scope): Shape {
  if (Array.isArray(schema)) {
    return { kind: 'union', avroName: 'union', branches: schema.map((branch) => parse(branch, scope)) }
  }
  if (typeof schema === 'string') return named(schema, scope)
  const json = schema as Json
  if (json['logicalType'] !== undefined) return logical(json, scope)
  switch (json['type']) {
    case 'record':
      return record(json, scope)
    case 'enum':
      return enumeration(json, scope)
    case 'fixed':
      return remember(json, scope, (avroName) => ({ kind: 'fixed', avroName, size: Number(json['size']) }))
    case 'array':
      return { kind: 'array', avroName: 'array', items: parse(json['items'], scope) }
    case 'map':
      return { kind: 'map', avroName: 'map', values: parse(json['values'], scope) }
    case 'long':
      return long(json)
    default:
      return parse(json['type'], scope)
  }
}

/** An attribute of Annals selects the JSON form of a `long`. */
function long(json: Json): ScalarShape {
  const choice = json['annals.long']
  if (choice === undefined) return { kind: 'long', avroName: 'long' }
  if (choice === 'number') return { kind: 'safe-long', avroName: 'long' }
  throw malformed(`annals.long ${JSON.stringify(choice)} is not known: expected "number", or none`)
}

const qualified = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`

const named = (name: string, scope: Scope): Shape =>
  scope.names.get(qualified(name, scope.namespace)) ??
  scope.names.get(name) ?? { kind: name as ScalarKind, avroName: name }

/** The namespace inside a named type: its own, or the enclosing one. */
const namespaceOf = (json: Json, scope: Scope): string => {
  const name = String(json['name'])
  if (name.includes('.')) return name.slice(0, name.lastIndexOf('.'))
  return typeof json['namespace'] === 'string' ? json['namespace'] : scope.namespace
}

function remember<S extends Shape>(json: Json, scope: Scope, make: (avroName: string) => S): S {
  const avroName = qualified(String(json['name']), namespaceOf(json, scope))
  const shape = make(avroName)
  scope.names.set(avroName, shape)
  return shape
}

const docOf = (json: Json): { doc?: string } => (typeof json['doc'] === 'string' ? { doc: json['doc'] } : {})

function record(json: Json, scope: Scope): RecordShape {
  const fields: FieldShape[] = []
  // The record is registered by name before its fields are read, because it may be recursive.
  const shape = remember(json, scope, (avroName) => ({
    kind: 'record' as const,
    avroName,
    ...docOf(json),
    fields,
  }))
  const inner = { names: scope.names, namespace: namespaceOf(json, scope) }
  for (const field of json['fields'] as readonly Json[]) fields.push(fieldOf(field, inner))
  return shape
}

function fieldOf(json: Json, scope: Scope): FieldShape {
  const name = String(json['name'])
  try {
    return {
      name,
      ...docOf(json),
      aliases: (json['aliases'] ?? []) as readonly string[],
      hasDefault: json['default'] !== undefined,
      byDefault: json['default'],
      shape: parse(json['type'], scope),
    }
  } catch (error) {
    if (error instanceof SchemaError) throw malformed(`field ${name}: ${error.message}`, error.details.word)
    throw error
  }
}

const enumeration = (json: Json, scope: Scope): EnumShape =>
  remember(json, scope, (avroName) => ({
    kind: 'enum',
    avroName,
    symbols: json['symbols'] as readonly string[],
    ...(typeof json['default'] === 'string' ? { default: json['default'] } : {}),
  }))

function logical(json: Json, scope: Scope): Shape {
  const name = String(json['logicalType'])
  const type = String(json['type'])
  const carriers = logicalTypes[name]
  if (carriers === undefined) {
    const known = Object.keys(logicalTypes).join(', ')
    throw malformed(`logical type ${name} is not supported: expected one of ${known}`, name)
  }
  if (!carriers.includes(type)) {
    throw malformed(
      `logical type ${name} cannot be carried by ${type}: expected ${carriers.join(' or ')}`,
      name,
    )
  }
  return name === 'decimal' ? decimal(json, scope) : { kind: name as ScalarKind, avroName: type }
}

function decimal(json: Json, scope: Scope): DecimalShape {
  const precision = Number(json['precision'])
  const scale = Number(json['scale'] ?? 0)
  if (!Number.isSafeInteger(precision) || precision < 1) {
    throw malformed('a decimal needs a precision: its total digits, from 1')
  }
  if (!Number.isSafeInteger(scale) || scale < 0 || scale > precision) {
    throw malformed(`the scale of a decimal is 0 to its precision ${precision}, not ${String(json['scale'])}`)
  }
  const format = { kind: 'decimal' as const, precision, scale }
  if (json['type'] === 'bytes') return { ...format, avroName: 'bytes' }
  const size = Number(json['size'])
  if (precision > precisionMax(size)) {
    throw malformed(
      `a fixed of ${size} bytes holds decimals of ${precisionMax(size)} digits, not ${precision}`,
    )
  }
  return remember(json, scope, (avroName) => ({ ...format, avroName, size }))
}
