type Json = Readonly<Record<string, unknown>>

const namePattern = /^[A-Za-z_]\w*$/

/** A name that Avro does not take, and what it is of: `field`, `enum symbol`, `record`, … */
export interface WrongName {
  readonly what: string
  readonly name: string
}

/** The first name in a schema that is none in Avro; undefined where all are. */
export function wrongNameIn(schema: unknown): WrongName | undefined {
  if (Array.isArray(schema)) return firstOf(schema.map((branch) => () => wrongNameIn(branch)))
  if (typeof schema !== 'object' || schema === null) return undefined
  const { type, name, namespace, fields, symbols, items, values } = schema as Json
  return firstOf([
    () => wrong(String(type), name, '.'),
    () => wrong('namespace', namespace, '.'),
    ...many(symbols).map((symbol) => () => wrong('enum symbol', symbol)),
    ...many(fields).map((field) => () => wrongInField(field as Json)),
    ...[type, items, values].map((inner) => () => wrongNameIn(inner)),
  ])
}

const wrongInField = ({ name, type }: Json): WrongName | undefined =>
  wrong('field', name) ?? wrongNameIn(type)

const wrong = (what: string, name: unknown, separator = ''): WrongName | undefined =>
  typeof name !== 'string' || partsOf(name, separator).every((part) => namePattern.test(part))
    ? undefined
    : { what, name }

const partsOf = (name: string, separator: string): readonly string[] =>
  separator === '' ? [name] : name.split(separator)

const many = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function firstOf(looks: readonly (() => WrongName | undefined)[]): WrongName | undefined {
  for (const look of looks) {
    const found = look()
    if (found !== undefined) return found
  }
  return undefined
}
