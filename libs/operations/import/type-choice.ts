import { InvalidInputError, quote } from '#domain'

import { type MappedField, mappedFields, type Row } from './mapped-field.ts'
import type { MappingSpec, TypeCase } from './mapping-schema.ts'
import { type Template, templateOf } from './template.ts'

/** One event type that rows may give, with its fields. */
export interface TypeChoice {
  /** Where in the mapping it is. */
  readonly at: string
  readonly type: Template
  readonly fields: readonly MappedField[]
  /** The values that choose it, by column. */
  readonly when: ReadonlyMap<string, readonly string[]>
}

/** The event types of a mapping; of several the first that fits is taken. @throws OperationError `invalid-request` where a field's format is none. */
export function typeChoicesOf(spec: MappingSpec, file: string): readonly TypeChoice[] {
  const { type, data = {}, nullMarkers = [] } = spec
  const cases: readonly TypeCase[] = typeof type === 'string' ? [{ type }] : type
  return cases.map((each, index) => {
    const at = typeof type === 'string' ? 'type' : `type.${index}`
    const place = each.data === undefined ? 'data' : `${at}.data`
    const values = Object.entries(each.when ?? {}).map(
      ([column, fits]) => [column, typeof fits === 'string' ? [fits] : fits] as const,
    )
    return {
      at,
      type: templateOf(each.type),
      fields: mappedFields(each.data ?? data, file, place, nullMarkers),
      when: new Map(values),
    }
  })
}

/** @throws InvalidInputError where no case of the type fits the row. */
export function choiceFor(choices: readonly TypeChoice[], row: Row): TypeChoice {
  const fitting = choices.find(({ when }) =>
    [...when].every(([column, values]) => values.includes(row.get(column) ?? '')),
  )
  if (fitting !== undefined) return fitting
  const columns = [...new Set(choices.flatMap(({ when }) => [...when.keys()]))]
  const has = columns.map((column) => `${column} ${quote(row.get(column) ?? '')}`).join(', ')
  throw new InvalidInputError('type', `no case of the event type fits ${has}`)
}
