const datePattern = /^(\d{4})-(\d\d)-(\d\d)$/
const timestampPattern = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/

const dayMs = 86_400_000
/** The Gregorian calendar repeats after 400 years. Date.UTC maps years below 100 to 19xx, so we add 400 years. */
const cycleYears = 400
const cycleDays = 146_097

const minDay = -719_528
/** The day of 0000-03-01. */
const marchOfYear0 = -719_468
const maxDay = 2_932_896

const daysInMonth = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days since 1970-01-01 of a real date `YYYY-MM-DD`; undefined when the text is not one. */
export function parseDate(text: string): number | undefined {
  const match = datePattern.exec(text)
  if (match === null) return undefined
  const year = Number(match[1])
  const month = Number(match[2])
  const day = Number(match[3])
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  return Date.UTC(year + cycleYears, month - 1, day) / dayMs - cycleDays
}

const twoDigits = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'))
const digitsOf = (number: number): string => twoDigits[number] ?? ''

/**
 * The inverse of {@link parseDate}. It computes with years from 1 March, so that a leap day is the last day of its year
 * (https://howardhinnant.github.io/date_algorithms.html#civil_from_days); a Date takes several times as long.
 * @throws RangeError outside of the years 0000 to 9999.
 */
export function formatDate(days: number): string {
  if (!(days >= minDay && days <= maxDay)) {
    throw new RangeError(`day ${days} since 1970 is outside of the years 0000 to 9999`)
  }
  const sinceMarch = Math.floor(days) - marchOfYear0
  const cycle = Math.floor(sinceMarch / cycleDays)
  const day = sinceMarch - cycle * cycleDays
  const year = Math.floor(
    (day - Math.floor(day / 1_460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365,
  )
  const dayOfYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100))
  const month = Math.floor((5 * dayOfYear + 2) / 153)
  const dayOfMonth = dayOfYear - Math.floor((153 * month + 2) / 5) + 1
  const civilYear = cycle * cycleYears + year + (month < 10 ? 0 : 1)
  const civilMonth = month < 10 ? month + 3 : month - 9
  const century = digitsOf(Math.floor(civilYear / 100)) + digitsOf(civilYear % 100)
  return `${century}-${digitsOf(civilMonth)}-${digitsOf(dayOfMonth)}`
}

interface Instant {
  readonly seconds: number
  /** Decimals of the second, as written. */
  readonly fraction: string
}

function parseInstant(text: string): Instant | undefined {
  const match = timestampPattern.exec(text)
  if (match === null) return undefined
  const days = parseDate(match[1] ?? '')
  const [hours, minutes, seconds] = [Number(match[2]), Number(match[3]), Number(match[4])]
  const offset = parseOffset(match[6], match[7], match[8])
  if (days === undefined || offset === undefined || hours > 23 || minutes > 59 || seconds > 59)
    return undefined
  const total = days * 86_400 + hours * 3600 + minutes * 60 + seconds - offset
  if (total < minDay * 86_400 || total >= (maxDay + 1) * 86_400) return undefined
  return { seconds: total, fraction: match[5] ?? '' }
}

/** Seconds east of UTC; undefined when the offset is invalid. */
function parseOffset(sign = '+', hours = '00', minutes = '00'): number | undefined {
  const [h, m] = [Number(hours), Number(minutes)]
  if (h > 23 || m > 59) return undefined
  return (sign === '-' ? -1 : 1) * (h * 3600 + m * 60)
}

/**
 * Milliseconds since 1970 of an ISO 8601 time with `Z` or an offset; undefined when the text is not one or has more
 * than three decimals.
 */
export function parseMillis(text: string): number | undefined {
  const instant = parseInstant(text)
  if (instant === undefined || instant.fraction.length > 3) return undefined
  return instant.seconds * 1000 + Number(instant.fraction.padEnd(3, '0'))
}

const wholeMinute = /T\d\d:\d\d(?=Z$|[+-]\d\d:\d\d$)/

/**
 * Milliseconds since 1970 of a bound as people write it. A date stands for its midnight in UTC. A time has `Z` or an
 * offset and may omit its seconds. Up to nine decimals are accepted; anything finer than a millisecond is truncated.
 * @returns undefined when the text is neither
 */
export function parseBound(text: string): number | undefined {
  const days = parseDate(text)
  if (days !== undefined) return days * dayMs
  const instant = parseInstant(text.replace(wholeMinute, '$&:00'))
  if (instant === undefined || instant.fraction.length > 9) return undefined
  return instant.seconds * 1000 + Number(instant.fraction.slice(0, 3).padEnd(3, '0'))
}

/** `YYYY-MM-DDTHH:MM:SS.mmmZ`. @throws RangeError outside of the years 0000 to 9999. */
export function formatMillis(millis: number): string {
  formatDate(Math.floor(millis / dayMs))
  return new Date(millis).toISOString()
}

/** Like {@link parseMillis}, in microseconds: a bigint beyond 2^53, i.e. after the year 2255. */
export function parseMicros(text: string): number | bigint | undefined {
  const instant = parseInstant(text)
  if (instant === undefined || instant.fraction.length > 6) return undefined
  const fraction = Number(instant.fraction.padEnd(6, '0'))
  const micros = instant.seconds * 1_000_000 + fraction
  return Number.isSafeInteger(micros) ? micros : BigInt(instant.seconds) * 1_000_000n + BigInt(fraction)
}

/** `YYYY-MM-DDTHH:MM:SS.mmmmmmZ`. @throws RangeError outside of the years 0000 to 9999. */
export function formatMicros(micros: number | bigint): string {
  const whole = BigInt(micros)
  const rest = ((whole % 1000n) + 1000n) % 1000n
  const text = formatMillis(Number((whole - rest) / 1000n))
  return `${text.slice(0, -1)}${String(rest).padStart(3, '0')}Z`
}
