import { literalPattern } from './literal-pattern.ts'

/** A date or a time as a table has it: `YYYYMMDD`, `DD.MM.YYYY HH:mm:ss`. */
export interface DateFormat {
  /** Milliseconds since 1970, as if the text were in UTC; undefined where it is no such date. */
  parse(text: string): number | undefined
  format(ms: number): string
}

const tokens = {
  YYYY: { digits: 4, of: (at: Date) => at.getUTCFullYear() },
  MM: { digits: 2, of: (at: Date) => at.getUTCMonth() + 1 },
  DD: { digits: 2, of: (at: Date) => at.getUTCDate() },
  HH: { digits: 2, of: (at: Date) => at.getUTCHours() },
  mm: { digits: 2, of: (at: Date) => at.getUTCMinutes() },
  ss: { digits: 2, of: (at: Date) => at.getUTCSeconds() },
  SSS: { digits: 3, of: (at: Date) => at.getUTCMilliseconds() },
} as const

type Token = keyof typeof tokens

const tokenPattern = /(YYYY|MM|DD|HH|mm|SSS|ss)/

/** @returns undefined unless the pattern has year, month and day, and each part once. */
export function dateFormatOf(pattern: string): DateFormat | undefined {
  const parts = pattern.split(tokenPattern)
  const named = parts.filter((_, index) => index % 2 === 1) as Token[]
  const hasDay = (['YYYY', 'MM', 'DD'] as const).every((token) => named.includes(token))
  if (!hasDay || new Set(named).size !== named.length) return undefined
  const source = parts.map((part, index) =>
    index % 2 === 1 ? `(\\d{${tokens[part as Token].digits}})` : literalPattern(part),
  )
  const expression = new RegExp(`^${source.join('')}$`)
  const format = (ms: number): string => {
    const at = new Date(ms)
    return parts.map((part, index) => (index % 2 === 1 ? written(part as Token, at) : part)).join('')
  }
  const parse = (text: string): number | undefined => {
    const values = expression.exec(text)?.slice(1).map(Number)
    const ms = values && msOf(new Map(named.map((token, index) => [token, values[index] ?? 0])))
    // Date.UTC takes 30 February for 2 March; only a real day comes back as it was.
    return ms !== undefined && format(ms) === text ? ms : undefined
  }
  return { parse, format }
}

const written = (token: Token, at: Date): string =>
  String(tokens[token].of(at)).padStart(tokens[token].digits, '0')

const msOf = (value: ReadonlyMap<Token, number>): number =>
  Date.UTC(
    value.get('YYYY') ?? 0,
    (value.get('MM') ?? 1) - 1,
    value.get('DD') ?? 1,
    value.get('HH') ?? 0,
    value.get('mm') ?? 0,
    value.get('ss') ?? 0,
    value.get('SSS') ?? 0,
  )
