import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

import type { Type } from 'avsc'

import { avroTypeOf } from './avro-type.ts'
import { reasonOf, SchemaError } from './schema-error.ts'
import { checkDefaults } from './schema-defaults.ts'
import { checkSchemaNames } from './schema-names.ts'
import { parseSchemaText, schemaTextOf } from './schema-text.ts'
import { type RecordShape, type Shape, shapeOf } from './shape.ts'
import { faultyLine, placeOf } from './text-place.ts'

/** What a schema describes: an event, the state in a snapshot, or a view of a projection. */
export type SchemaRole = 'event' | 'snapshot' | 'view'

/** One schema file: `<aggregateType>/<name>.v<version>.avsc`; for views `<projection>/<name>.v<version>.avsc`. */
export interface SchemaVersion {
  readonly file: string
  /** For the schema of a view, the projection. */
  readonly aggregateType: string
  /** Name of the event, the state or the view. */
  readonly name: string
  /** 1, 2, 3 … */
  readonly version: number
  readonly role: SchemaRole
  /** Full name with namespace. Versions that share it are compatible; each breaking step has its own. */
  readonly fullName: string
  /** The subject in the registry, derived from topic and record name. */
  readonly subject: string
  /** The text sent to the registry: the file's JSON without white space. */
  readonly text: string
  readonly shape: RecordShape
  /** avsc's type: for bytes only, see {@link avroTypeOf}. */
  readonly type: Type
}

const fileNamePattern = /^([A-Za-z_]\w*)\.v([1-9]\d*)\.avsc$/
const topics = {
  event: 'eventstore',
  snapshot: 'snapshots',
  view: 'projections',
} as const satisfies Record<SchemaRole, string>

type Json = Readonly<Record<string, unknown>>

/** Where a schema was found, and what follows from that. */
type SchemaPlace = Pick<SchemaVersion, 'file' | 'aggregateType' | 'name' | 'version'>

/** @throws SchemaError `malformed-schema`, naming the file, when its content contradicts its name or folder. */
export function readSchemaVersion(file: string, aggregateType: string): SchemaVersion {
  const match = fileNamePattern.exec(basename(file))
  if (match === null) {
    throw malformed(file, 'the file name is not <EventName>.v<N>.avsc, e.g. OrderPlaced.v1.avsc')
  }
  const place = { file, aggregateType, name: match[1] ?? '', version: Number(match[2]) }
  const text = readText(file)
  return withPlaceIn(text, () => schemaVersionOf(place, parseJson(file, text)))
}

/** @param schema an Avro schema as JSON. @throws SchemaError `malformed-schema` when it contradicts its place. */
export function schemaVersionOf(place: SchemaPlace, schema: Json): SchemaVersion {
  const { file, aggregateType, name } = place
  const { type, shape } = understand(file, schema)
  if (shape.kind !== 'record' || shape.avroName !== `${String(schema['namespace'])}.${name}`) {
    throw malformed(file, `expected a record with name ${name} and a namespace, as its file name says`)
  }
  const role = roleOf(file, schema)
  return {
    ...place,
    role,
    fullName: shape.avroName,
    subject: `${topics[role]}.${aggregateType}-${shape.avroName}`,
    text: schemaTextOf(schema),
    shape,
    type,
  }
}

const malformed = (file: string, message: string, word?: string): SchemaError =>
  new SchemaError('malformed-schema', `${file}: ${message}`, { file, ...(word !== undefined && { word }) })

/** Rejects invalid bytes, and removes a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

function readText(file: string): string {
  const bytes = readFileSync(file)
  try {
    return utf8.decode(bytes)
  } catch {
    throw malformed(file, 'not UTF-8: convert it first, e.g. with iconv -t utf-8')
  }
}

/** Adds to an error the line of the word that it mentions. */
function withPlaceIn(text: string, read: () => SchemaVersion): SchemaVersion {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    const word = error.details.word ?? /([\w.-]+)\W*$/.exec(error.message)?.[1] ?? ''
    const place = placeOf(text, word) || placeOf(text, word.slice(word.lastIndexOf('.') + 1))
    if (place === '') throw error
    throw new SchemaError(error.code, `${error.message} (${place})`, error.details, { cause: error })
  }
}

function parseJson(file: string, text: string): Json {
  let json: unknown
  try {
    json = parseSchemaText(text)
  } catch (error) {
    throw malformed(file, `not JSON: from line ${faultyLine(text)} on: ${reasonOf(error)}`)
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Json
  throw malformed(file, 'expected a JSON object that describes an Avro record')
}

function understand(file: string, schema: Json): Pick<SchemaVersion, 'type'> & { readonly shape: Shape } {
  try {
    checkSchemaNames(schema)
    const type = typeUnlessDefaultsFail(schema)
    const shape = shapeOf(schema)
    checkDefaults(shape)
    return { type: type ?? avroTypeOf(schema), shape }
  } catch (error) {
    const word = error instanceof SchemaError ? error.details.word : undefined
    throw malformed(file, `not a sound Avro schema: ${reasonOf(error)}`, word)
  }
}

/**
 * avsc's type; undefined if only defaults are invalid, because our own check reports those better than avsc.
 * @throws Error with avsc's message for anything else
 */
function typeUnlessDefaultsFail(schema: Json): Type | undefined {
  try {
    return avroTypeOf(schema)
  } catch {
    avroTypeOf(withoutDefaults(schema))
    return undefined
  }
}

const withoutDefaults = (schema: Json): unknown =>
  JSON.parse(schemaTextOf(schema), (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || !('type' in part) || isEnum(part)) return part
    return Object.fromEntries(Object.entries(part).filter(([key]) => key !== 'default'))
  })

/** The default of an enum is one of its symbols. */
const isEnum = (part: { readonly type: unknown }): boolean => part.type === 'enum'

function roleOf(file: string, schema: Json): SchemaRole {
  const role = schema['role'] ?? 'event'
  if (role === 'event' || role === 'snapshot' || role === 'view') return role
  throw malformed(
    file,
    `role ${JSON.stringify(role)} is not known: expected "event" (the default), "snapshot" or "view"`,
  )
}
