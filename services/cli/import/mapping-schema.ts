import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

import { quote } from '#domain'

import { UsageError } from '../failure.ts'

const exact = { additionalProperties: false }
const name = Type.String({ minLength: 1 })

/** What a field's column may be where it is empty; without it an empty column is a problem, but for text. */
const common = {
  column: name,
  empty: Type.Optional(Type.Union([Type.Literal('null'), Type.Literal('omit')])),
}
const decimalPoint = Type.Optional(Type.Union([Type.Literal('.'), Type.Literal(',')]))

const kinds = {
  text: Type.Object({ ...common, type: Type.Optional(Type.Literal('text')) }, exact),
  integer: Type.Object({ ...common, type: Type.Literal('integer') }, exact),
  number: Type.Object({ ...common, type: Type.Literal('number'), decimalPoint }, exact),
  decimal: Type.Object(
    {
      ...common,
      type: Type.Literal('decimal'),
      /** Digits after the point that the value gets. */
      scale: Type.Optional(Type.Integer({ minimum: 0, maximum: 30 })),
      decimalPoint,
    },
    exact,
  ),
  boolean: Type.Object(
    { ...common, type: Type.Literal('boolean'), true: Type.Optional(name), false: Type.Optional(name) },
    exact,
  ),
  date: Type.Object({ ...common, type: Type.Literal('date'), format: Type.Optional(name) }, exact),
  timestamp: Type.Object(
    {
      ...common,
      type: Type.Literal('timestamp'),
      format: Type.Optional(name),
      /** What the format's times are ahead of UTC. */
      zone: Type.Optional(Type.String({ pattern: '^(Z|[+-]\\d\\d:\\d\\d)$' })),
    },
    exact,
  ),
} as const

const constant = Type.Object({ constant: Type.Unknown() }, exact)

type Kinds = { readonly [Kind in keyof typeof kinds]: Static<(typeof kinds)[Kind]> }

/** How one field of an event's data comes from a column. */
export type ColumnField = Kinds[keyof Kinds]
export type FieldSpec = ColumnField | Static<typeof constant>

const mappingSchema = Type.Object(
  {
    /** Between columns: one character, or `blanks` for any number of blanks and tabs. */
    delimiter: Type.Optional(
      Type.Union([Type.Literal('blanks'), Type.String({ minLength: 1, maxLength: 1 })]),
    ),
    /** Whether the first line names the columns. */
    header: Type.Optional(Type.Boolean()),
    encoding: Type.Optional(name),
    /** Names of the columns, where no header has them; for an export, their order. */
    columns: Type.Optional(Type.Array(name, { minItems: 1, uniqueItems: true })),
    stream: name,
    type: name,
    id: Type.Optional(name),
    metadata: Type.Optional(
      Type.Partial(
        Type.Object({ correlationId: name, causationId: name, userId: name, sessionId: name, source: name }),
        exact,
      ),
    ),
    data: Type.Record(Type.String(), Type.Unknown()),
  },
  exact,
)

/** A mapping as its file has it. */
export interface MappingSpec extends Omit<Static<typeof mappingSchema>, 'data'> {
  readonly data: Readonly<Record<string, FieldSpec>>
}

/** Checks a mapping. @throws UsageError that names the file and the field in it. */
export function checkMapping(json: unknown, file: string): MappingSpec {
  check(mappingSchema, json, file, '')
  const mapping = json as MappingSpec
  for (const [field, spec] of Object.entries(mapping.data)) checkField(spec, file, `data.${field}`)
  if (mapping.header === false && mapping.columns === undefined) {
    throw new UsageError(`${file}: columns: missing: without a header the mapping names the columns`)
  }
  return mapping
}

/** Each kind by its own schema: of a union one would only learn that nothing fits. */
function checkField(spec: unknown, file: string, path: string): void {
  const field = spec as { readonly type?: unknown; readonly column?: unknown } | null
  if (typeof field !== 'object' || field === null || (!('column' in field) && !('constant' in field))) {
    throw new UsageError(
      `${file}: ${path}: expected an object with a column or a constant, got ${quote(spec)}`,
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
    throw new UsageError(`${file}: ${path}.type: expected one of ${known}, got ${quote(type)}`)
  }
  check(schema, field, file, path)
}

function check(schema: TSchema, value: unknown, file: string, root: string): void {
  const first = Value.Errors(schema, value).First()
  if (first === undefined) return
  const place = [root, ...first.path.split('/').slice(1)].filter(Boolean).join('.')
  const found = first.value === undefined ? '' : `, got ${quote(first.value)}`
  const told = first.message.charAt(0).toLowerCase() + first.message.slice(1)
  throw new UsageError(`${file}: ${place || 'the mapping'}: ${told}${found}`)
}
