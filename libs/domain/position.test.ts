import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { formatPosition, parsePosition, position } from './position.ts'

describe('a position', () => {
  test('survives a round trip through its token', () => {
    const topic = fc.stringMatching(/^[\w.-]{1,249}$/)
    fc.assert(
      fc.property(topic, fc.nat(), fc.maxSafeNat(), (name, partition, offset) => {
        const at = position(name, partition, offset)
        expect(parsePosition(formatPosition(at))).toEqual(at)
      }),
    )
  })

  test('has a readable token', () => {
    expect(formatPosition(position('eventstore.order', 3, 42))).toBe('eventstore.order:3:42')
  })

  test.each([
    ['', 0, 0],
    ['t', -1, 0],
    ['t', 0, -1],
    ['t', 0.5, 0],
    ['t', 0, 2 ** 53],
  ])('%j, %d, %d is rejected', (topic, partition, offset) => {
    expect(() => position(topic, partition, offset)).toThrow(
      /is malformed: expected a topic, a partition and an offset from 0$/,
    )
  })

  test.each(['', 't:1', 't:1:2:3', ':1:2', 't:-1:2', 't:1:x', 't:1:2 ', 'a b:1:2', 't:1:9007199254740993'])(
    'token %j is refused',
    (token) => expect(() => parsePosition(token)).toThrow(expect.objectContaining({ path: 'position' })),
  )
})
