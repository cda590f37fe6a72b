import { CsvError } from 'csv-parse'
import { parse } from 'csv-parse/sync'

import { LineProblem } from './imported-line.ts'
import { type Line } from './read-lines.ts'

/** The values of one record of a table. */
export interface TableRecord {
  /** Its first line, from 1. */
  readonly line: number
  readonly values: readonly string[]
}

/** A longer record has most likely lost its closing quote. */
const recordCharactersMax = 1024 * 1024
/** Records that are parsed together. */
const batchMax = 500

/**
 * The records of a table whose values may be quoted (RFC 4180). Each record is parsed separately: a stray quote makes only its own line
 * invalid.
 */
export async function* readRecords(
  lines: AsyncIterable<Line | LineProblem>,
  delimiter: string,
): AsyncGenerator<TableRecord | LineProblem, void> {
  const queue = new LineQueue(lines)
  try {
    yield* recordsIn(queue, delimiter)
  } finally {
    await queue.close()
  }
}

async function* recordsIn(
  queue: LineQueue,
  delimiter: string,
): AsyncGenerator<TableRecord | LineProblem, void> {
  const batch: RecordText[] = []
  for (let next = await queue.take(); next !== undefined; next = await queue.take()) {
    if (!(next instanceof LineProblem) && next.text === '') continue
    const record = next instanceof LineProblem ? next : await recordFrom(next, queue)
    if (record instanceof LineProblem) {
      yield* parsed(batch.splice(0), delimiter)
      yield record
    } else if (record.lines.length === 1) {
      batch.push(record)
      if (batch.length === batchMax) yield* parsed(batch.splice(0), delimiter)
    } else {
      yield* parsed(batch.splice(0), delimiter)
      const [whole] = parsed([record], delimiter)
      // The first line may have opened a quote by mistake. The other lines are read again separately.
      if (whole instanceof LineProblem) queue.putBack(record.lines.slice(1))
      if (whole !== undefined) yield whole
    }
  }
  yield* parsed(batch, delimiter)
}

/** Lines that form one record, judging by their quotes. */
interface RecordText {
  readonly lines: readonly Line[]
}

/** A record continues while a quote is open. In a valid record that is while the number of quotes is odd. */
async function recordFrom(first: Line, queue: LineQueue): Promise<RecordText | LineProblem> {
  const lines = [first]
  let isOpen = hasOddQuotes(first.text)
  let characters = first.text.length
  while (isOpen) {
    const next = await queue.take()
    if (next === undefined || next instanceof LineProblem || characters > recordCharactersMax) {
      queue.putBack([...lines.slice(1), ...(next === undefined ? [] : [next])])
      return new LineProblem(first.line, `a quote is opened here and never closed. ${howToQuote}`)
    }
    lines.push(next)
    characters += next.text.length
    if (hasOddQuotes(next.text)) isOpen = false
  }
  return { lines }
}

function hasOddQuotes(text: string): boolean {
  let isOdd = false
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) isOdd = !isOdd
  return isOdd
}

function parsed(records: readonly RecordText[], delimiter: string): (TableRecord | LineProblem)[] {
  const text = records.map(textOf).join('\n')
  try {
    const rows = parse(text, { delimiter, relax_column_count: true, record_delimiter: ['\r\n', '\n', '\r'] })
    if (rows.length === records.length) {
      return records.map(({ lines: [first] }, index) => ({
        line: first?.line ?? 0,
        values: rows[index] ?? [],
      }))
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    if (records.length === 1) return [new LineProblem(lineOf(records), problemOf(error))]
  }
  if (records.length > 1) return records.flatMap((record) => parsed([record], delimiter))
  return [new LineProblem(lineOf(records), carriageReturn)]
}

const lineOf = ([record]: readonly RecordText[]): number => record?.lines[0]?.line ?? 0

/** The text of a record. Newlines within quotes are part of the value, unchanged. */
const textOf = ({ lines }: RecordText): string =>
  lines.map(({ text, end }, index) => (index === lines.length - 1 ? text : text + end)).join('')

const howToQuote =
  'A value that contains quotes is enclosed in quotes, and each quote in it is doubled: "5"" pipe"'
const carriageReturn =
  'contains a carriage return (CR) outside quotes: end the lines of the file with LF or CRLF'

const problemOf = ({ code, message, column }: CsvError & { readonly column?: unknown }): string =>
  code.includes('QUOTE')
    ? `${typeof column === 'number' ? `column ${column + 1} has ` : ''}a stray quote. ${howToQuote}`
    : message

/** A queue of lines that can be put back. */
class LineQueue {
  readonly #source: AsyncIterator<Line | LineProblem>
  /** The next line is the last element. */
  readonly #back: (Line | LineProblem)[] = []

  constructor(lines: AsyncIterable<Line | LineProblem>) {
    this.#source = lines[Symbol.asyncIterator]()
  }

  async take(): Promise<Line | LineProblem | undefined> {
    const back = this.#back.pop()
    if (back !== undefined) return back
    const next = await this.#source.next()
    return next.done === true ? undefined : next.value
  }

  /** Stops reading the file. */
  async close(): Promise<void> {
    await this.#source.return?.()
  }

  putBack(lines: readonly (Line | LineProblem)[]): void {
    this.#back.push(...lines.toReversed())
  }
}
