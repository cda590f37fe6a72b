import fc from 'fast-check'
import { expect, test } from 'vitest'

import { recordLine, parseRecordLine } from './record-line.ts'

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
const content = fc.oneof(
  bytes,
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
)

test('every record round-trips through one line byte for byte', () => {
  const records = fc.record({
    offset: fc.maxSafeNat(),
    timestampMs: fc.maxSafeNat(),
    key: content,
    value: fc.option(bytes),
    headers: fc.array(fc.tuple(fc.string(), content)),
  })
  fc.assert(
    fc.property(records, (record) => {
      const line = recordLine(record)
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(parseRecordLine(line)).toEqual(record)
    }),
  )
})

test('text is stored as text', () => {
  const line = recordLine({
    offset: 7,
    timestampMs: 1_700_000_000_000,
    key: Buffer.from('order.ö'),
    value: Buffer.from([0, 1, 2]),
    headers: [
      ['ce_type', Buffer.from('Placed')],
      ['raw', Buffer.from([0xff])],
    ],
  })
  expect(line).toBe(
    '{"offset":7,"timestamp":1700000000000,"key":"order.ö","value":"AAEC","headers":[["ce_type","Placed"],["raw",{"base64":"/w=="}]]}\n',
  )
})

test.each(['', '{', '{}', '{"offset":-0.5,"timestamp":1}'])('%j is not a record', (line) => {
  expect(() => parseRecordLine(line)).toThrow()
})
