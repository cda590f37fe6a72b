import { formatPosition, quote, type RecordedEvent } from '#domain'

import { OperationError } from '../operation-error.ts'
import type { Mapping } from '../import/mapping.ts'

/** How events are written. */
export interface ExportLines {
  /** Ends by a newline, or is empty. */
  readonly header: string
  /** Ends by a newline. @throws OperationError `invalid-request` where a mapping cannot tell the event. */
  line(event: RecordedEvent): string
}

/** What import takes, and for information what the log made of it. */
export const jsonLines: ExportLines = {
  header: '',
  line: ({ streamId, type, data, id, metadata, version, position, timestamp }) => {
    const taken = { streamId, type, data, id, ...(Object.keys(metadata).length > 0 && { metadata }) }
    return `${JSON.stringify({ ...taken, version, position: formatPosition(position), timestamp })}\n`
  },
}

/** A mapping the other way round. */
export function tableLines(mapping: Mapping): ExportLines {
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

/** RFC 4180, section 2. */
const quoted = (value: string, delimiter: string): string =>
  /["\r\n]/.test(value) || value.includes(delimiter) ? `"${value.replaceAll('"', '""')}"` : value

/** Between blanks nothing can be quoted. */
function unquoted(value: string, { file }: Mapping): string {
  if (value !== '' && !/\s/.test(value)) return value
  throw new OperationError(
    'invalid-request',
    `${file} has no row for ${quote(value)}: with blanks between columns there is no empty one, and none with blanks in it`,
  )
}
