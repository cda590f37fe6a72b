import fc from 'fast-check'
import { expect, test } from 'vitest'

import { dateFormatOf } from './date-format.ts'

test.each([
  ['YYYYMMDD', '19970112', '1997-01-12T00:00:00.000Z'],
  ['DD.MM.YYYY HH:mm', '29.02.2024 23:59', '2024-02-29T23:59:00.000Z'],
  ['YYYY-MM-DDTHH:mm:ss.SSS', '1997-01-12T01:02:03.004', '1997-01-12T01:02:03.004Z'],
  ['D.M.YYYY H:mm', '1.2.1997 3:04', '1997-02-01T03:04:00.000Z'],
  ['D.M.YYYY', '01.12.1997', '1997-12-01T00:00:00.000Z'],
])('%s reads %s', (pattern, text, time) => {
  expect(dateFormatOf(pattern)?.parse(text)).toBe(Date.parse(time))
})

test.each(['19970230', '19971301', '1997011', '199701120', '1997 112'])(
  '%s is not a date as YYYYMMDD',
  (text) => {
    expect(dateFormatOf('YYYYMMDD')?.parse(text)).toBeUndefined()
  },
)

test.each(['', 'YYYYMM', 'YYYYMMDDDD', 'MM/DD', 'YYYYMD', 'YYYY-MM-M-DD'])(
  '%j is not a date pattern',
  (pattern) => {
    expect(dateFormatOf(pattern)).toBeUndefined()
  },
)

test('a formatted date parses to the same time', () => {
  const format = dateFormatOf('DD/MM/YYYY (HH:mm:ss.SSS)')
  const times = fc.date({ min: new Date('0100-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  fc.assert(
    fc.property(times, (time) => {
      expect(format?.parse(format.format(time.getTime()))).toBe(time.getTime())
    }),
  )
})
