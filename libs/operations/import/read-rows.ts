import { OperationError } from '../operation-error.ts'
import { LineProblem } from './imported-line.ts'
import type { ImportMapping, Row } from './mapping.ts'
import { type Line, readLines } from './read-lines.ts'
import { readRecords, type TableRecord } from './read-records.ts'

/** One record of a table. */
interface TableRow {
  readonly line: number
  readonly row: Row
}

/**
 * The records of a table, with the names of their columns.
 * @param file the name of the file, for error messages
 * @throws OperationError `invalid-request` if a column that the mapping uses is missing or occurs twice.
 */
export async function* readRows(
  bytes: AsyncIterable<Buffer>,
  file: string,
  mapping: ImportMapping,
): AsyncGenerator<TableRow | LineProblem, void> {
  const { delimiter = ',', header = true, encoding = 'utf-8', columns } = mapping.spec
  const lines = readLines(bytes, encoding)
  const records = delimiter === 'blanks' ? readBlanks(lines) : readRecords(lines, delimiter)
  let names: readonly string[] | undefined = header ? undefined : (columns ?? [])
  if (names !== undefined) checkColumns(names, file, mapping)
  for await (const record of records) {
    if (names === undefined) {
      names = namesIn(record, file)
      checkColumns(names, file, mapping)
    } else {
      yield record instanceof LineProblem ? record : rowOf(record, names)
    }
  }
  if (names === undefined) {
    throw new OperationError(
      'invalid-request',
      `${file} is empty: the first line of a table must name its columns, unless the mapping has "header": false`,
    )
  }
}

function namesIn(header: TableRecord | LineProblem, file: string): readonly string[] {
  if (!(header instanceof LineProblem)) return header.values.map((name) => name.trim())
  throw new OperationError('invalid-request', `${file}: line ${header.line}, the header: ${header.message}`)
}

function rowOf({ line, values }: TableRecord, names: readonly string[]): TableRow | LineProblem {
  if (values.length === names.length) {
    return { line, row: new Map(names.map((name, index) => [name, values[index] ?? ''])) }
  }
  return new LineProblem(line, `${values.length} columns: expected ${names.length} (${names.join(', ')})`)
}

function checkColumns(names: readonly string[], file: string, mapping: ImportMapping): void {
  for (const [column, place] of mapping.columnsUsed) {
    const count = names.filter((name) => name === column).length
    if (count === 1) continue
    const has = count === 0 ? `no column ${column}` : `${count} columns ${column}`
    throw new OperationError(
      'invalid-request',
      `${file} has ${has}, which ${mapping.file} uses in ${place}: its columns are ${names.join(', ')}`,
    )
  }
}

async function* readBlanks(
  lines: AsyncIterable<Line | LineProblem>,
): AsyncGenerator<TableRecord | LineProblem, void> {
  for await (const line of lines) {
    if (line instanceof LineProblem) yield line
    else if (line.text.trim() !== '') yield { line: line.line, values: line.text.trim().split(/[ \t]+/) }
  }
}
