import { type TSchema, TypeGuard } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifySchemaCompiler } from 'fastify'

import { quote } from '#domain'
import { EventStoreError } from '#event-store'

/**
 * Compiles the schemas of a route once, at its registration. Bodies are not converted: `"3"` is not 3. In queries and
 * headers, where everything is text, whole numbers, `true` and `false` are converted, and a single value counts as a
 * list of one.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = TypeCompiler.Compile(schema)
  const read = httpPart === 'body' ? (value: unknown) => value : textReader(schema)
  return (value: unknown) => {
    const input = read(value)
    return check.Check(input) ? { value: input } : { error: violation(check, input) }
  }
}

/** The first violation, as an `invalid-request` that names its path. Call it only when the check fails. */
export function violation(check: TypeCheck<TSchema>, value: unknown): EventStoreError {
  const first = check.Errors(value).First()
  const path = pathOf(first?.path ?? '')
  const expectation = first?.message ?? 'another shape'
  const found = first?.value === undefined ? '' : `, got ${quote(first.value)}`
  return new EventStoreError('invalid-request', `${path || 'the body'}: ${lowerFirst(expectation)}${found}`, {
    ...(path !== '' && { path }),
  })
}

/** Converts a JSON pointer to the usual notation of paths: `/events/0/type` becomes `events[0].type`. */
const pathOf = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '')

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

type Text = Readonly<Record<string, unknown>>

function textReader(schema: TSchema): (value: unknown) => unknown {
  const properties = TypeGuard.IsObject(schema) ? Object.entries(schema.properties) : []
  const integers = properties.filter(([, part]) => TypeGuard.IsInteger(part)).map(([name]) => name)
  const booleans = properties.filter(([, part]) => TypeGuard.IsBoolean(part)).map(([name]) => name)
  const arrays = properties.filter(([, part]) => TypeGuard.IsArray(part)).map(([name]) => name)
  return (value) => {
    const text = value as Text
    const input: Record<string, unknown> = { ...text }
    for (const name of integers) if (name in text) input[name] = readInteger(text[name])
    for (const name of booleans) if (name in text) input[name] = readBoolean(text[name])
    for (const name of arrays) if (name in text) input[name] = [text[name]].flat()
    return input
  }
}

/** Any other text stays as it is, so the check fails with a message that shows it. */
const readInteger = (text: unknown): unknown =>
  typeof text === 'string' && /^-?\d{1,15}$/.test(text) ? Number(text) : text

const readBoolean = (text: unknown): unknown => (text === 'true' ? true : text === 'false' ? false : text)
