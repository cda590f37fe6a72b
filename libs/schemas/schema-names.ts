import { SchemaError } from './schema-error.ts'

type Json = Readonly<Record<string, unknown>>

/** https://avro.apache.org/docs/1.12.0/specification/#names */
const namePattern = /^[A-Za-z_]\w*$/

/**
 * Rejects names that Avro does not accept, and names with which events could be written but not read.
 * @param schema as JSON, sound or not
 * @throws SchemaError `malformed-schema` for the first of them
 */
export function checkSchemaNames(schema: unknown): void {
  if (Array.isArray(schema)) schema.forEach(checkSchemaNames)
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return
  const { type, name, namespace, fields, symbols, items, values } = schema as Json
  checkAvroName(String(type), name, '.')
  checkAvroName('namespace', namespace, '.')
  for (const symbol of listOf(symbols)) {
    checkAvroName('enum symbol', symbol)
    refuseTaken('a symbol of an enum', symbol)
  }
  for (const field of listOf(fields)) checkField((field ?? {}) as Json)
  for (const inner of [type, items, values]) checkSchemaNames(inner)
}

function checkField({ name, aliases, type }: Json): void {
  checkAvroName('field', name)
  for (const each of [name, ...listOf(aliases)]) refuseTaken('a field', each)
  checkSchemaNames(type)
}

const listOf = (list: unknown): readonly unknown[] => (Array.isArray(list) ? list : [])

function checkAvroName(what: string, name: unknown, separator?: string): void {
  if (typeof name !== 'string') return
  const parts = separator === undefined ? [name] : name.split(separator)
  if (parts.every((part) => namePattern.test(part))) return
  throw new SchemaError(
    'malformed-schema',
    `names in Avro consist of letters, digits and _, and do not begin with a digit: this ${what} has the name ${JSON.stringify(name)}`,
  )
}

/** Every object has members with these names, so a missing field could not be detected. */
function refuseTaken(what: string, name: unknown): void {
  if (typeof name !== 'string' || !(name in Object.prototype)) return
  throw new SchemaError(
    'malformed-schema',
    `${what} cannot be named ${name}, because every object in JavaScript has a member of that name: choose another, e.g. ${name.replaceAll('_', '')}Value instead of ${name}`,
  )
}
