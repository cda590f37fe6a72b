import { formatPosition, quote, type RecordedEvent } from '#domain'

import { OperationError } from '../operation-error.ts'
import type { ImportMapping } from '../import/mapping.ts'

/** The line format of an export. */
export interface ExportLines {
  /** Ends with a newline, or is empty. */
  readonly header: string
  /** Formats an event; ends with a newline. @throws OperationError `invalid-request` if the mapping cannot express the event. */
  line(event: RecordedEvent): string
}

/** One event in JSON per line. Version, position and timestamp are for information: an import ignores them. */
export const jsonLines: ExportLines = {
  header: '',
  line: ({ streamId, type, data, id, metadata, version, position, timestamp }) => {
    const imported = { streamId, type, data, id, ...(Object.keys(metadata).length > 0 && { metadata }) }
    return `${JSON.stringify({ ...imported, version, position: formatPosition(position), timestamp })}\n`
  },
}

/** The lines of a table. Importing them with the same mapping gives the same events. */
export function tableLines(mapping: ImportMapping): ExportLines {
  const { delimiter = ',', header = true, columns = [...mapping.columnsUsed.keys()] } = mapping.spec
  const line = (values: readonly string[]): string =>
    delimiter === 'blanks'
      ? `${values.map((value) => unquoted(value, mapping)).join(' ')}\n`
      : `${values.map((value) => quoted(value, delimiter)).join(delimiter)}\n`
  return {
    header: header ? line(columns) : '',
    line(event) {
      const row = mapping.rowOf(event)
      return line(columns.map((column) => row.get(column) ?? ''))
    },
  }
}

/** Quotes a value if needed, by RFC 4180, section 2. */
const quoted = (value: string, delimiter: string): string =>
  /["\r\n]/.test(value) || value.includes(delimiter) ? `"${value.replaceAll('"', '""')}"` : value

/** Columns that blanks separate cannot be quoted. @throws OperationError `invalid-request` for a value that is empty or contains blanks. */
function unquoted(value: string, { file }: ImportMapping): string {
  if (value !== '' && !/\s/.test(value)) return value
  throw new OperationError(
    'invalid-request',
    `${file} has no row for ${quote(value)}: columns separated by blanks must not be empty or contain blanks`,
  )
}
