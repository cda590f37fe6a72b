import { parseMillis } from '#calendar'

import { literalPattern } from './literal-pattern.ts'

/** The format of dates or times in a table: `YYYYMMDD`, `DD.MM.YYYY HH:mm:ss`. */
export interface DateFormat {
  /** Milliseconds since 1970, as if the text were in UTC; undefined for a text that is not such a date. */
  parse(text: string): number | undefined
  format(ms: number): string
}

/** Each part of a date may occur once. `M` is a month like `MM`, with one digit or two. */
const tokens = {
  YYYY: { part: 'year', digits: '4', width: 4 },
  MM: { part: 'month', digits: '2', width: 2 },
  M: { part: 'month', digits: '1,2', width: 1 },
  DD: { part: 'day', digits: '2', width: 2 },
  D: { part: 'day', digits: '1,2', width: 1 },
  HH: { part: 'hour', digits: '2', width: 2 },
  H: { part: 'hour', digits: '1,2', width: 1 },
  mm: { part: 'minute', digits: '2', width: 2 },
  ss: { part: 'second', digits: '2', width: 2 },
  SSS: { part: 'millisecond', digits: '3', width: 3 },
} as const

type Token = keyof typeof tokens
type Part = (typeof tokens)[Token]['part']

const partOf: Readonly<Record<Part, (at: Date) => number>> = {
  year: (at) => at.getUTCFullYear(),
  month: (at) => at.getUTCMonth() + 1,
  day: (at) => at.getUTCDate(),
  hour: (at) => at.getUTCHours(),
  minute: (at) => at.getUTCMinutes(),
  second: (at) => at.getUTCSeconds(),
  millisecond: (at) => at.getUTCMilliseconds(),
}

const tokenPattern = /(YYYY|MM|M|DD|D|HH|H|mm|SSS|ss)/

/** @returns undefined unless the pattern has year, month and day, each part once, without ambiguous borders. */
export function dateFormatOf(pattern: string): DateFormat | undefined {
  const pieces = pattern.split(tokenPattern)
  const named = pieces.filter((_, index) => index % 2 === 1) as Token[]
  const parts = named.map((token) => tokens[token].part)
  const hasDay = (['year', 'month', 'day'] as const).every((part) => parts.includes(part))
  if (!hasDay || new Set(parts).size !== parts.length || isAmbiguous(pieces)) return undefined
  const source = pieces.map((piece, index) =>
    index % 2 === 1 ? `(\\d{${tokens[piece as Token].digits}})` : literalPattern(piece),
  )
  const expression = new RegExp(`^${source.join('')}$`)
  return {
    format(ms) {
      const at = new Date(ms)
      return pieces.map((piece, index) => (index % 2 === 1 ? written(piece as Token, at) : piece)).join('')
    },
    parse(text) {
      const values = expression.exec(text)?.slice(1).map(Number)
      return values && msOf(new Map(parts.map((part, index) => [part, values[index] ?? 0])))
    },
  }
}

/** `YYYYMD` is ambiguous: 1997112 may be in January or in November. */
const isAmbiguous = (pieces: readonly string[]): boolean =>
  pieces.some(
    (piece, index) =>
      index % 2 === 0 &&
      piece === '' &&
      [pieces[index - 1], pieces[index + 1]].every((token) => token !== undefined) &&
      [pieces[index - 1], pieces[index + 1]].some((token) => tokens[token as Token].width === 1),
  )

const written = (token: Token, at: Date): string =>
  String(partOf[tokens[token].part](at)).padStart(tokens[token].width, '0')

/** Date.UTC turns 30 February into 2 March. Only a real day survives the round trip. */
function msOf(values: ReadonlyMap<Part, number>): number | undefined {
  const of = (part: Part): number => values.get(part) ?? 0
  const day = Date.UTC(of('year'), of('month') - 1, of('day'))
  const ms = day + ((of('hour') * 60 + of('minute')) * 60 + of('second')) * 1_000 + of('millisecond')
  const at = new Date(ms)
  return [...values].every(([part, value]) => partOf[part](at) === value) ? ms : undefined
}

const timeMsMax = Date.parse('9999-12-31T23:59:59.999Z')
const timeMsMin = Date.parse('0000-01-01T00:00:00.000Z')

/** ISO 8601; undefined outside the years 0000 to 9999. */
export const isoTime = (ms: number | undefined): string | undefined =>
  ms === undefined || ms < timeMsMin || ms > timeMsMax ? undefined : new Date(ms).toISOString()

const epoch = (unitMs: number, digits: RegExp): DateFormat => ({
  parse: (text) => (digits.test(text) ? Math.round(Number(text) * unitMs) : undefined),
  format: (ms) => String(ms / unitMs),
})

/** Times that include their offset from UTC. */
export const namedFormats: ReadonlyMap<string, DateFormat> = new Map([
  [
    'iso',
    {
      parse: (text: string) => parseMillis(text.replace(/(\.\d{3})\d+/, '$1')),
      format: (ms: number) => new Date(ms).toISOString(),
    },
  ],
  ['epoch-seconds', epoch(1_000, /^-?\d{1,12}(\.\d{1,3})?$/)],
  ['epoch-millis', epoch(1, /^-?\d{1,15}$/)],
])
