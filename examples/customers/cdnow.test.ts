import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { InvalidInputError } from '#domain'

import { readCdnow } from './cdnow.ts'

const header = ' customer_id  date number_of_cds  dollar_value\r\n'
const read = (...lines: string[]) => [...readCdnow(header + lines.map((line) => `${line}\r\n`).join(''))]

describe('reading cdnow.txt', () => {
  test('returns the purchases in the order of the lines', () => {
    expect(read(' 00001 19970101  1   11.77', ' 00002 19970112 12  177.00')).toEqual([
      { customerId: '00001', date: '1997-01-01', cds: 1, amount: '11.77' },
      { customerId: '00002', date: '1997-01-12', cds: 12, amount: '177.00' },
    ])
  })

  test('accepts a file without a final line end, with LF line ends, or without purchases', () => {
    expect([...readCdnow(`${header.trim()}\n 00001 19970101  1   11.77`)]).toHaveLength(1)
    expect([...readCdnow(header)]).toEqual([])
  })

  test.each([
    ['a missing field', ' 00001 19970101   11.77'],
    ['an extra field', ' 00001 19970101  1   11.77 x'],
    ['a customer id that does not have five digits', ' 0001 19970101  1   11.77'],
    ['a day that does not exist', ' 00001 19970230  1   11.77'],
    ['a month that does not exist', ' 00001 19971301  1   11.77'],
    ['CDs that are not a whole number', ' 00001 19970101  1.5   11.77'],
    ['an amount without cents', ' 00001 19970101  1   11'],
    ['an empty line in the middle', ''],
  ])('reports the line with %s', (_, line) => {
    const good = ' 00001 19970101  1   11.77'
    expect(() => read(good, line, good)).toThrow(
      new InvalidInputError(
        'line 3',
        `line 3 of the CDNOW data is malformed: ${JSON.stringify(line)}; expected customer id, date (YYYYMMDD), number of CDs and dollars`,
      ),
    )
  })

  test('reports line 1 when the header is missing', () => {
    expect(() => [...readCdnow(' 00001 19970101  1   11.77\r\n')]).toThrow(/^line 1 of the CDNOW data/)
  })

  test('reads back any purchases', () => {
    const purchase = fc.record({
      customerId: fc.integer({ min: 0, max: 99_999 }).map((id) => String(id).padStart(5, '0')),
      date: fc
        .date({ min: new Date('1997-01-01'), max: new Date('1998-06-30'), noInvalidDate: true })
        .map((date) => date.toISOString().slice(0, 10)),
      cds: fc.integer({ min: 0, max: 999 }),
      amount: fc.integer({ min: 0, max: 999_999 }).map((cents) => (cents / 100).toFixed(2)),
    })
    fc.assert(
      fc.property(fc.array(purchase), (purchases) => {
        const lines = purchases.map(
          ({ customerId, date, cds, amount }) =>
            ` ${customerId} ${date.replaceAll('-', '')} ${cds}  ${amount}`,
        )
        expect(read(...lines)).toEqual(purchases)
      }),
    )
  })
})
