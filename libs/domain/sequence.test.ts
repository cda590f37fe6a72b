import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { validateSequence } from './sequence.ts'
import { parseStreamId } from './stream-id.ts'
import { recordEvents } from './testing/index.ts'
import { noVersion, parseVersion } from './version.ts'

const stream = parseStreamId('order.42')
const happened = (count: number, after = 0) =>
  recordEvents(stream, Array.from({ length: count }, () => ({ type: 'Happened', data: null })), { after: parseVersion(after) }) // prettier-ignore

describe('a sequence of events', () => {
  test('without a gap is valid, and returns its last version', () => {
    expect(validateSequence(stream, noVersion, happened(3))).toBe(3)
    expect(validateSequence(stream, parseVersion(7), happened(3, 7))).toBe(10)
  })

  test('may be empty', () => {
    expect(validateSequence(stream, parseVersion(7), [])).toBe(7)
  })

  test('that starts at another version is broken at its first event', () => {
    expect(() => validateSequence(stream, noVersion, happened(2, 1))).toThrow(
      'sequence is broken: events[0] of stream order.42 has version 2, expected 1',
    )
  })

  test('with an event of another stream is broken at that event', () => {
    const events = [...happened(1), ...recordEvents('order.43', [{ type: 'Happened', data: null }])]
    expect(() => validateSequence(stream, noVersion, events)).toThrow(
      expect.objectContaining({
        path: 'events[1]',
        message: 'sequence is broken: events[1] belongs to stream order.43, expected order.42',
      }),
    )
  })

  test('that lacks or repeats an event is broken at that event', () => {
    const someStream = fc
      .integer({ min: 2, max: 50 })
      .chain((count) => fc.record({ count: fc.constant(count), at: fc.nat(count - 2), lacks: fc.boolean() }))
    fc.assert(
      fc.property(someStream, ({ count, at, lacks }) => {
        const events = happened(count)
        const broken = lacks ? events.toSpliced(at, 1) : [...events.slice(0, at + 1), ...events.slice(at)]
        const brokenAt = lacks ? at : at + 1
        expect(() => validateSequence(stream, noVersion, broken)).toThrow(
          expect.objectContaining({ path: `events[${brokenAt}]` }),
        )
      }),
    )
  })
})
