import fc from 'fast-check'
import { expect, test } from 'vitest'

import { clipRun, decodeEventRun, encodeEventRun } from './event-run.ts'

const run = fc.record({
  firstVersion: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  payloads: fc.array(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))),
})

test('a run survives encoding and decoding', () => {
  fc.assert(
    fc.property(run, (events) => {
      expect(decodeEventRun(encodeEventRun(events))).toEqual(events)
    }),
  )
})

test.each([
  { from: 1, to: 99, firstVersion: 5, values: 'a b c d' },
  { from: 6, to: 7, firstVersion: 6, values: 'b c' },
  { from: 1, to: 5, firstVersion: 5, values: 'a' },
  { from: 8, to: 8, firstVersion: 8, values: 'd' },
])('versions $from to $to of a run of 5 to 8 are $values', ({ from, to, firstVersion, values }) => {
  const events = { firstVersion: 5, payloads: 'a b c d'.split(' ').map((text) => Buffer.from(text)) }
  expect(clipRun(events, from, to)).toEqual({
    firstVersion,
    payloads: values.split(' ').map((text) => Buffer.from(text)),
  })
})

test.each([
  { from: 1, to: 4 },
  { from: 9, to: 20 },
  { from: 7, to: 6 },
  { from: 1, to: 0 },
])('a run of 5 to 8 clipped to $from to $to is empty', ({ from, to }) => {
  expect(clipRun({ firstVersion: 5, payloads: Array(4).fill(Buffer.from('x')) }, from, to)).toBeUndefined()
})
