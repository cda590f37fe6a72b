import { pipeline, Readable } from 'node:stream'

import { CsvError, parse } from 'csv-parse'

import { UsageError } from '../failure.ts'
import { LineProblem } from './imported-line.ts'
import type { Mapping, Row } from './mapping.ts'
import { readLines } from './read-lines.ts'

/** One record of a table. */
export interface TableRow {
  readonly line: number
  readonly row: Row
}

interface Record {
  readonly line: number
  readonly values: readonly string[]
}

/** A record longer than this has most likely lost its closing quote. */
const recordBytesMax = 1024 * 1024

/**
 * The records of a table, by the names of their columns.
 * @param file its name, for what is told of it
 * @throws UsageError where it has not the columns that the mapping uses.
 */
export async function* readRows(
  bytes: AsyncIterable<Buffer>,
  file: string,
  mapping: Mapping,
): AsyncGenerator<TableRow | LineProblem, void> {
  const { delimiter = ',', header = true, encoding = 'utf-8', columns } = mapping.spec
  const records =
    delimiter === 'blanks'
      ? readBlanks(bytes, encoding)
      : readDelimited(decode(bytes, file, encoding), delimiter)
  let names = header ? undefined : (columns ?? [])
  if (names !== undefined) checkColumns(names, file, mapping)
  for await (const record of records) {
    if (record instanceof LineProblem) {
      yield record
    } else if (names === undefined) {
      names = record.values.map((name) => name.trim())
      checkColumns(names, file, mapping)
    } else {
      yield rowOf(record, names)
    }
  }
}

function rowOf({ line, values }: Record, names: readonly string[]): TableRow | LineProblem {
  if (values.length === names.length) {
    return { line, row: new Map(names.map((name, index) => [name, values[index] ?? ''])) }
  }
  return new LineProblem(line, `${values.length} columns: expected ${names.length} (${names.join(', ')})`)
}

function checkColumns(names: readonly string[], file: string, mapping: Mapping): void {
  for (const [column, place] of mapping.columnsUsed) {
    if (!names.includes(column)) {
      throw new UsageError(
        `${file} has no column ${column}, which ${mapping.file} uses in ${place}: its columns are ${names.join(', ')}`,
      )
    }
  }
}

async function* readBlanks(
  bytes: AsyncIterable<Buffer>,
  encoding: string,
): AsyncGenerator<Record | LineProblem, void> {
  for await (const line of readLines(bytes, encoding)) {
    if (line instanceof LineProblem) yield line
    else if (line.text.trim() !== '') yield { line: line.line, values: line.text.trim().split(/[ \t]+/) }
  }
}

async function* readDelimited(
  text: AsyncIterable<string>,
  delimiter: string,
): AsyncGenerator<Record | LineProblem, void> {
  const problems: LineProblem[] = []
  const parser = parse({
    delimiter,
    ...{ bom: true, info: true, max_record_size: recordBytesMax },
    ...{ skip_empty_lines: true, relax_column_count: true, skip_records_with_error: true },
    on_skip: (error) => {
      if (error) problems.push(problemOf(error))
      return undefined
    },
  })
  // What goes wrong comes out of the parser too, which is read below.
  pipeline(Readable.from(text), parser, () => undefined)
  for await (const { record, info } of parser as AsyncIterable<Parsed>) {
    yield* problems.splice(0)
    yield { line: info.lines, values: record }
  }
  yield* problems.splice(0)
}

interface Parsed {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

/** Broken characters are never taken for others. @throws UsageError */
async function* decode(
  bytes: AsyncIterable<Buffer>,
  file: string,
  encoding: string,
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  let lines = 1
  for await (const chunk of bytes) {
    try {
      yield decoder.decode(chunk, { stream: true })
    } catch (error) {
      throw new UsageError(`${file} is not text in ${encoding}, at line ${lines} or after`, { cause: error })
    }
    lines += chunk.toString('latin1').split('\n').length - 1
  }
}

const problemOf = (error: Error): LineProblem =>
  new LineProblem(error instanceof CsvError ? Number(error['lines'] ?? 0) : 0, error.message)
