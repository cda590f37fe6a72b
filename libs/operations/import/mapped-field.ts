import { fieldValueOf, parseColumns } from './field-value.ts'
import type { DataSpec, FieldSpec } from './mapping-schema.ts'
import { templateOf } from './template.ts'

/** The values of one line, by column. */
export type Row = ReadonlyMap<string, string>

/** Converts between the columns of a row and one field of the data of an event. */
export interface MappedField {
  readonly name: string
  readonly columns: readonly string[]
  /** Whether the field is omitted if a row has no value for it. */
  readonly isOmitted: boolean
  /** The name and value of the field; undefined if it is omitted. @throws InvalidInputError that names the column. */
  entryOf(row: Row): readonly [name: string, value: unknown] | undefined
  /** The values of its columns that give this value; undefined if there are none. */
  columnsOf(value: unknown): Row | undefined
}

/**
 * @param at the path of the fields in the mapping: `data`
 * @param nullMarkers texts that mean no value, unless a field has its own
 * @throws OperationError `invalid-request` for an invalid format of a field.
 */
export const mappedFields = (
  data: DataSpec,
  file: string,
  at: string,
  nullMarkers: readonly string[],
): readonly MappedField[] =>
  Object.entries(data).map(([name, spec]) => fieldOf(name, spec, `${file}: ${at}.${name}`, nullMarkers))

function fieldOf(name: string, spec: FieldSpec, place: string, inherited: readonly string[]): MappedField {
  if ('constant' in spec) return constantField(name, spec.constant)
  const { empty, nullMarkers = inherited } = spec
  const value = fieldValueOf(spec, place)
  const { columns, text, match } = sourceOf(spec)
  const [marker = ''] = empty === undefined ? nullMarkers : []
  return {
    name,
    columns,
    isOmitted: empty === 'omit',
    entryOf(row) {
      const values = columns.map((column) => row.get(column) ?? '')
      const isMarked = values.some((each) => nullMarkers.includes(each))
      if (values.every((each) => each === '' || nullMarkers.includes(each))) {
        if (empty === 'omit') return undefined
        if (empty === 'null' || isMarked) return [name, null]
      }
      return [name, parseColumns(value, text(row), `data.${name}`, columns)]
    },
    columnsOf: (data) =>
      data === null ? new Map(columns.map((column) => [column, marker])) : match(value.format(data)),
  }
}

const constantField = (name: string, constant: unknown): MappedField => ({
  ...{ name, columns: [], isOmitted: false },
  entryOf: () => [name, constant],
  columnsOf: () => new Map(),
})

interface Source {
  readonly columns: readonly string[]
  readonly text: (row: Row) => string
  readonly match: (text: string) => Row | undefined
}

function sourceOf({ column, template }: { readonly column?: string; readonly template?: string }): Source {
  if (template === undefined) {
    const name = column ?? ''
    return {
      columns: [name],
      text: (row) => row.get(name) ?? '',
      match: (text) => new Map([[name, text]]),
    }
  }
  const parts = templateOf(template)
  return {
    columns: parts.columns,
    text: (row) => parts.render((each) => row.get(each) ?? ''),
    match: (text) => parts.match(text),
  }
}
