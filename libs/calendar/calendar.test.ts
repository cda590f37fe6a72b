import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { formatDate, formatMicros, formatMillis, parseDate, parseMicros, parseMillis } from './calendar.ts'

const instants = fc.date({
  min: new Date('0000-01-01T00:00:00.000Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
})

describe('dates', () => {
  test.each([
    ['1970-01-01', 0],
    ['1969-12-31', -1],
    ['1997-01-12', 9873],
    ['2000-02-29', 11016],
    ['0000-01-01', -719_528],
    ['0099-12-31', -683_004],
    ['9999-12-31', 2_932_896],
  ])('%s is day %i', (text, day) => {
    expect(parseDate(text)).toBe(day)
    expect(formatDate(day)).toBe(text)
  })

  test.each([
    '1997-02-29',
    '1900-02-29',
    '2024-04-31',
    '2024-06-31',
    '2024-09-31',
    '2024-11-31',
    '2024-01-32',
    '2024-00-01',
    '2024-13-01',
    '2024-01-00',
    '97-01-12',
    '1997-1-12',
    '1997-01-12T00:00:00Z',
    ' 1997-01-12',
    '',
  ])('%j is not a date', (text) => {
    expect(parseDate(text)).toBeUndefined()
  })

  test('every day survives formatting and parsing', () => {
    fc.assert(
      fc.property(instants, (instant) => {
        const text = instant.toISOString().slice(0, 10)
        expect(formatDate(parseDate(text) ?? NaN)).toBe(text)
      }),
    )
  })

  test.each([-719_529, 2_932_897])('day %i is outside of the years that four digits can express', (day) => {
    expect(() => formatDate(day)).toThrow('outside of the years 0000 to 9999')
  })
})

describe('timestamps', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01T00:00:00.5Z', 500],
    ['1969-12-31T23:59:59.999Z', -1],
    ['2024-05-31T09:30:00.000Z', 1_717_147_800_000],
    ['2024-05-31T11:30:00.000+02:00', 1_717_147_800_000],
    ['2024-05-31T04:00:00.000-05:30', 1_717_147_800_000],
  ])('%s is %i ms', (text, millis) => {
    expect(parseMillis(text)).toBe(millis)
    expect(formatMillis(millis)).toBe(new Date(millis).toISOString())
  })

  test.each([
    '2024-05-31',
    '2024-05-31T09:30:00',
    '2024-05-31 09:30:00Z',
    '2024-05-31T24:00:00Z',
    '2024-05-31T09:60:00Z',
    '2024-05-31T09:30:60Z',
    '2024-02-30T09:30:00Z',
    '2024-05-31T09:30:00+24:00',
    '2024-05-31T09:30:00+02:60',
    '2024-05-31T09:30:00.1234Z',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '',
  ])('%j is not a time to the millisecond', (text) => {
    expect(parseMillis(text)).toBeUndefined()
  })

  test('microseconds have six decimals at most, and are exact beyond 2^53', () => {
    expect(parseMicros('1970-01-01T00:00:00.000001Z')).toBe(1)
    expect(parseMicros('1969-12-31T23:59:59.999999Z')).toBe(-1)
    expect(parseMicros('9999-12-31T23:59:59.999999Z')).toBe(253_402_300_799_999_999n)
    expect(parseMicros('1970-01-01T00:00:00.0000001Z')).toBeUndefined()
    expect(parseMicros('yesterday')).toBeUndefined()
  })

  test('every instant survives formatting and parsing', () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: 0, max: 999 }), (instant, rest) => {
        const millis = instant.toISOString()
        expect(formatMillis(parseMillis(millis) ?? NaN)).toBe(millis)
        const micros = `${millis.slice(0, -1)}${String(rest).padStart(3, '0')}Z`
        expect(formatMicros(parseMicros(micros) ?? NaN)).toBe(micros)
      }),
    )
  })

  test('a time in the year 10000 cannot be formatted', () => {
    expect(() => formatMillis(Date.UTC(10_000, 0))).toThrow(RangeError)
    expect(() => formatMicros(-(2n ** 62n))).toThrow(RangeError)
  })
})
