import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { formatDecimal, parseDecimal, precisionMax } from './decimal.ts'

const hex = (text: string, precision: number, scale: number, size?: number): string | undefined =>
  parseDecimal(text, { precision, scale, ...(size === undefined ? {} : { size }) })?.toString('hex')

describe('decimals', () => {
  test.each([
    ['0', 2, '00'],
    ['-0', 2, '00'],
    ['1.27', 2, '7f'],
    ['1.28', 2, '0080'],
    ['-1.28', 2, '80'],
    ['-1.29', 2, 'ff7f'],
    ['12.3', 2, '04ce'],
    ['12345678901234', 0, '0b3a73ce2ff2'],
    ['123456789012345678901234', 0, '1a249b1f10a06c96aff2'],
    ['-123456789012345678901234', 0, 'e5db64e0ef5f9369500e'],
  ])('%s at scale %i is %s', (text, scale, bytes) => {
    expect(hex(text, 30, scale)).toBe(bytes)
  })

  test('more digits than the format has are rejected, zeros or not', () => {
    expect(hex('12.345', 12, 2)).toBeUndefined()
    expect(hex('12.340', 12, 2)).toBeUndefined()
    expect(hex('1234567890.12', 12, 2)).toBeDefined()
    expect(hex('12345678901', 12, 2)).toBeUndefined()
    expect(hex('0.05', 2, 2)).toBeDefined()
    expect(hex('1.05', 2, 2)).toBeUndefined()
  })

  test.each(['', '.5', '5.', '+5', '05', '1e3', '1,000', ' 1', 'NaN', '--1', '0x10'])(
    '%j is not a decimal',
    (text) => {
      expect(hex(text, 12, 2)).toBeUndefined()
    },
  )

  test('a fixed has all of its bytes, sign-extended', () => {
    expect(hex('1.00', 12, 2, 8)).toBe('0000000000000064')
    expect(hex('-1.00', 12, 2, 8)).toBe('ffffffffffffff9c')
  })

  test('the text has all digits of the scale', () => {
    expect(formatDecimal(Buffer.from([5]), 2)).toBe('0.05')
    expect(formatDecimal(Buffer.from([0xfb]), 2)).toBe('-0.05')
    expect(formatDecimal(Buffer.from([0x04, 0xce]), 2)).toBe('12.30')
    expect(formatDecimal(Buffer.from([12]), 0)).toBe('12')
    expect(formatDecimal(Buffer.alloc(0), 1)).toBe('0.0')
  })

  test('every decimal survives encoding and decoding, whatever its size', () => {
    const cases = fc
      .record({ unscaled: fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), scale: fc.nat(38) })
      .chain(({ unscaled, scale }) =>
        fc.record({
          unscaled: fc.oneof(fc.constant(unscaled), fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n })),
          scale: fc.constant(scale),
          size: fc.constantFrom(undefined, 16),
        }),
      )
    fc.assert(
      fc.property(cases, ({ unscaled, scale, size }) => {
        const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
        const point = digits.length - scale
        const fraction = scale === 0 ? '' : `.${digits.slice(point)}`
        const text = `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${fraction}`
        const format = { precision: 38, scale, ...(size === undefined ? {} : { size }) }
        const bytes = parseDecimal(text, format)
        expect(bytes?.length).toBe(size ?? bytes?.length)
        expect(formatDecimal(bytes ?? Buffer.alloc(0), scale)).toBe(text)
      }),
    )
  })

  test('the number of digits that fit a fixed', () => {
    expect([1, 4, 8, 16].map(precisionMax)).toEqual([2, 9, 18, 38])
  })
})
