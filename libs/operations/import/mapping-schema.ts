import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

import { InvalidInputError, parseMetadata, quote } from '#domain'

import { OperationError } from '../operation-error.ts'

const exact = { additionalProperties: false }
const name = Type.String({ minLength: 1 })

/** Texts that mean no value. */
const nullMarkers = Type.Optional(Type.Array(Type.String(), { uniqueItems: true }))

const common = {
  /** A field has either a column, or a template: a text with columns in braces. */
  column: Type.Optional(name),
  template: Type.Optional(name),
  /** What an empty column gives. If absent, an empty column is a problem unless the field is text. */
  empty: Type.Optional(Type.Union([Type.Literal('null'), Type.Literal('omit')])),
  /** Replace those of the mapping. */
  nullMarkers,
}
/** The offset of the times from UTC. */
const zone = Type.Optional(Type.String({ pattern: '^(Z|[+-]\\d\\d:\\d\\d)$' }))
const decimalPoint = Type.Optional(Type.Union([Type.Literal('.'), Type.Literal(',')]))

const kinds = {
  text: Type.Object({ ...common, type: Type.Optional(Type.Literal('text')) }, exact),
  integer: Type.Object({ ...common, type: Type.Literal('integer') }, exact),
  number: Type.Object({ ...common, type: Type.Literal('number'), decimalPoint }, exact),
  decimal: Type.Object(
    {
      ...common,
      type: Type.Literal('decimal'),
      /** Digits after the decimal point. */
      scale: Type.Optional(Type.Integer({ minimum: 0, maximum: 30 })),
      decimalPoint,
    },
    exact,
  ),
  boolean: Type.Object(
    { ...common, type: Type.Literal('boolean'), true: Type.Optional(name), false: Type.Optional(name) },
    exact,
  ),
  date: Type.Object({ ...common, type: Type.Literal('date'), format: Type.Optional(name), zone }, exact),
  timestamp: Type.Object(
    { ...common, type: Type.Literal('timestamp'), format: Type.Optional(name), zone },
    exact,
  ),
} as const

const constant = Type.Object({ constant: Type.Unknown() }, exact)

type Kinds = { readonly [Kind in keyof typeof kinds]: Static<(typeof kinds)[Kind]> }

/** How one field of an event's data is read from columns. */
export type ColumnField = Kinds[keyof Kinds]
export type FieldSpec = ColumnField | Static<typeof constant>

const text = Type.String()

/** One of several event types, and the rows it applies to. */
const typeCase = Type.Object(
  {
    /** By column: its text, or its possible texts. All columns must match. If absent, the case matches every row that no earlier case does. */
    when: Type.Optional(
      Type.Record(name, Type.Union([text, Type.Array(text, { minItems: 1 })]), { minProperties: 1 }),
    ),
    type: name,
    /** Replaces the data of the mapping. */
    data: Type.Optional(Type.Record(text, Type.Unknown())),
  },
  exact,
)
const typeCases = Type.Array(typeCase, { minItems: 1 })

export type DataSpec = Readonly<Record<string, FieldSpec>>
export interface TypeCase extends Omit<Static<typeof typeCase>, 'data'> {
  readonly data?: DataSpec
}

const mappingSchema = Type.Object(
  {
    /** Separates columns: one character, or `blanks` for any number of blanks and tabs. */
    delimiter: Type.Optional(
      Type.Union([Type.Literal('blanks'), Type.String({ minLength: 1, maxLength: 1 })]),
    ),
    /** Whether the first line names the columns. */
    header: Type.Optional(Type.Boolean()),
    encoding: Type.Optional(name),
    /** The names of the columns if there is no header; for an export, their order. */
    columns: Type.Optional(Type.Array(name, { minItems: 1, uniqueItems: true })),
    stream: name,
    /** A text with columns in braces, or a list of cases. */
    type: Type.Unknown(),
    id: Type.Optional(name),
    /** The schema version of the data: a number, or a text with columns in braces. */
    schemaVersion: Type.Optional(Type.Unknown()),
    nullMarkers,
    metadata: Type.Optional(Type.Record(text, name)),
    data: Type.Optional(Type.Record(text, Type.Unknown())),
  },
  exact,
)

/** The content of a mapping file. */
export interface MappingSpec extends Omit<Static<typeof mappingSchema>, 'data' | 'type' | 'schemaVersion'> {
  readonly type: string | readonly TypeCase[]
  readonly schemaVersion?: number | string
  readonly data?: DataSpec
}

/** Checks a mapping. @throws OperationError `invalid-request` that names the file and the field in it. */
export function checkMapping(json: unknown, file: string): MappingSpec {
  check(mappingSchema, json, file, '')
  const mapping = json as MappingSpec
  checkMetadataNames(mapping, file)
  checkData(mapping.data, file, 'data')
  checkType(mapping, file)
  const { schemaVersion = 1, encoding = 'utf-8' } = mapping
  check(schemaVersionSpec, schemaVersion, file, 'schemaVersion')
  checkEncoding(encoding, file)
  if (mapping.header === false && mapping.columns === undefined) {
    throw new OperationError(
      'invalid-request',
      `${file}: columns: missing: a mapping without a header must name the columns`,
    )
  }
  return mapping
}

/** @throws OperationError `invalid-request` for a key that metadata must not have. */
function checkMetadataNames({ metadata = {} }: MappingSpec, file: string): void {
  try {
    parseMetadata(Object.fromEntries(Object.keys(metadata).map((key) => [key, ''])))
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    throw new OperationError('invalid-request', `${file}: ${error.message}`, { cause: error })
  }
}

function checkData(data: DataSpec | undefined, file: string, path: string): void {
  for (const [field, spec] of Object.entries(data ?? {})) checkField(spec, file, `${path}.${field}`)
}

function checkType({ type, data }: MappingSpec, file: string): void {
  check(Array.isArray(type) ? typeCases : name, type, file, 'type')
  const cases = typeof type === 'string' ? [{ type } as TypeCase] : type
  cases.forEach((each, index) => {
    checkData(each.data, file, `type.${index}.data`)
    if (each.data === undefined && data === undefined) {
      throw new OperationError(
        'invalid-request',
        `${file}: data: missing: expected the fields of ${each.type}`,
      )
    }
    if (each.when === undefined && index < cases.length - 1) {
      throw new OperationError(
        'invalid-request',
        `${file}: type.${index}.when: missing: only the last case may omit it`,
      )
    }
  })
}

const schemaVersionSpec = Type.Union([Type.Integer({ minimum: 1 }), name])

function checkEncoding(encoding: string, file: string): void {
  try {
    new TextDecoder(encoding, { fatal: true })
  } catch {
    throw new OperationError(
      'invalid-request',
      `${file}: encoding: ${quote(encoding)} is unknown: expected e.g. utf-8 or windows-1252`,
    )
  }
}

/** Checks a field against the schema of its kind. The error of a union would only report that nothing matches. */
function checkField(spec: unknown, file: string, path: string): void {
  const field = spec as { readonly type?: unknown } | null
  const sources = ['column', 'template', 'constant'].filter((source) => Object.hasOwn(field ?? {}, source))
  if (typeof field !== 'object' || field === null || sources.length !== 1) {
    throw new OperationError(
      'invalid-request',
      `${file}: ${path}: expected an object with a column, a template or a constant, got ${quote(spec)}`,
    )
  }
  if ('constant' in field) {
    check(constant, field, file, path)
    return
  }
  const { type = 'text' } = field
  const schema = Object.hasOwn(kinds, String(type)) ? kinds[type as keyof Kinds] : undefined
  if (schema === undefined) {
    const known = Object.keys(kinds).join(', ')
    throw new OperationError(
      'invalid-request',
      `${file}: ${path}.type: expected one of ${known}, got ${quote(type)}`,
    )
  }
  check(schema, field, file, path)
}

function check(schema: TSchema, value: unknown, file: string, root: string): void {
  const first = Value.Errors(schema, value).First()
  if (first === undefined) return
  const place = [root, ...first.path.split('/').slice(1)].filter(Boolean).join('.')
  const found = first.value === undefined ? '' : `, got ${quote(first.value)}`
  const problem = first.message.charAt(0).toLowerCase() + first.message.slice(1)
  throw new OperationError('invalid-request', `${file}: ${place || 'the mapping'}: ${problem}${found}`)
}
