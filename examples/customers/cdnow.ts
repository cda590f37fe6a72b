import { InvalidInputError, quote } from '#domain'

/** One line of cdnow.txt. */
export interface CdnowPurchase {
  /** Five digits: `00001`. */
  readonly customerId: string
  /** `YYYY-MM-DD` */
  readonly date: string
  readonly cds: number
  /** Dollars, a decimal with two places: `11.77`. */
  readonly amount: string
}

const columns = 'customer_id date number_of_cds dollar_value'
const linePattern = /^(\d{5}) (\d{4})(\d{2})(\d{2}) (\d{1,6}) (\d{1,9}\.\d{2})$/

/**
 * Reads the purchases of cdnow.txt in the order of its lines: a header, then columns separated by blanks.
 * @throws InvalidInputError that names the first malformed line (`line 17`), when the iteration reaches it.
 */
export function* readCdnow(text: string): Generator<CdnowPurchase, void> {
  const [header = '', ...lines] = text.split(/\r?\n/)
  if (words(header) !== columns) throw malformed(1, header, `the header ${quote(columns)}`)
  if (lines.at(-1) === '') lines.pop()
  for (const [index, line] of lines.entries()) yield readLine(line, index + 2)
}

const words = (line: string): string => line.trim().replaceAll(/ +/g, ' ')

function readLine(line: string, lineNumber: number): CdnowPurchase {
  const [, customerId = '', year, month, day, cds, amount = ''] = linePattern.exec(words(line)) ?? []
  const date = [year, month, day].join('-')
  if (customerId === '' || !isDay(date)) {
    throw malformed(lineNumber, line, 'customer id, date (YYYYMMDD), number of CDs and dollars')
  }
  return { customerId, date, cds: Number(cds), amount }
}

/** Date.parse reads 30 February as 2 March. Only a real day is unchanged after a round trip. */
function isDay(date: string): boolean {
  const time = Date.parse(date)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date)
}

const malformed = (lineNumber: number, line: string, expected: string): InvalidInputError =>
  new InvalidInputError(
    `line ${lineNumber}`,
    `line ${lineNumber} of the CDNOW data is malformed: ${quote(line)}; expected ${expected}`,
  )
