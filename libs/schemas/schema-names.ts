import { SchemaError } from './schema-error.ts'

type Json = Readonly<Record<string, unknown>>

/** Every object has members of these names, so that data could not tell a field of its own from them. */
const isTaken = (name: unknown): name is string => typeof name === 'string' && name in Object.prototype

/**
 * Looks for names that events could be written with and not be read: fields, their aliases and symbols of enums.
 * @param schema as JSON, sound or not.
 * @throws SchemaError `malformed-schema` with the first of them.
 */
export function checkSchemaNames(schema: unknown): void {
  if (Array.isArray(schema)) schema.forEach(checkSchemaNames)
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return
  const { type, fields, symbols, items, values } = schema as Json
  for (const field of listOf(fields)) {
    const { name, aliases, type: fieldType } = (field ?? {}) as Json
    refuseTaken('a field', [name, ...listOf(aliases)])
    checkSchemaNames(fieldType)
  }
  refuseTaken('a symbol of an enum', listOf(symbols))
  for (const inner of [type, items, values]) checkSchemaNames(inner)
}

const listOf = (list: unknown): readonly unknown[] => (Array.isArray(list) ? list : [])

function refuseTaken(what: string, names: readonly unknown[]): void {
  const name = names.find(isTaken)
  if (name === undefined) return
  throw new SchemaError(
    'malformed-schema',
    `${what} cannot be named ${name}, as a member of every object in JavaScript is: choose another name, e.g. ${name.replaceAll('_', '')}Value`,
  )
}
