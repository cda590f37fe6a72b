import { InvalidInputError, quote } from '#domain'

import { type MappedField, mappedFields, type Row } from './mapped-field.ts'
import type { MappingSpec, TypeCase } from './mapping-schema.ts'
import { type Template, templateOf } from './template.ts'

/** One event type of a mapping, with its fields and the rows it applies to. */
export interface TypeChoice {
  /** Its path in the mapping: `type`, or `type.0` for the first case. */
  readonly at: string
  readonly type: Template
  readonly fields: readonly MappedField[]
  /** The values that select it, by column. */
  readonly when: ReadonlyMap<string, readonly string[]>
}

/** The event types of a mapping, in the order in which they are tried. @throws OperationError `invalid-request` for an invalid format of a field. */
export function typeChoicesOf(spec: MappingSpec, file: string): readonly TypeChoice[] {
  const { type, data = {}, nullMarkers = [] } = spec
  const cases: readonly TypeCase[] = typeof type === 'string' ? [{ type }] : type
  return cases.map((each, index) => {
    const at = typeof type === 'string' ? 'type' : `type.${index}`
    const place = each.data === undefined ? 'data' : `${at}.data`
    const values = Object.entries(each.when ?? {}).map(
      ([column, texts]) => [column, typeof texts === 'string' ? [texts] : texts] as const,
    )
    return {
      at,
      type: templateOf(each.type),
      fields: mappedFields(each.data ?? data, file, place, nullMarkers),
      when: new Map(values),
    }
  })
}

/** The first event type that matches the row. @throws InvalidInputError if none matches. */
export function choiceFor(choices: readonly TypeChoice[], row: Row): TypeChoice {
  const matching = choices.find(({ when }) =>
    [...when].every(([column, values]) => values.includes(row.get(column) ?? '')),
  )
  if (matching !== undefined) return matching
  const columns = [...new Set(choices.flatMap(({ when }) => [...when.keys()]))]
  const found = columns.map((column) => `${column} ${quote(row.get(column) ?? '')}`).join(', ')
  throw new InvalidInputError('type', `no case of the event type matches ${found}`)
}
