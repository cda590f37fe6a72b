import { expect, test } from 'vitest'

import { newEventId, type StreamId, type Version } from '#domain'

import { groupByStream } from './commit-argument.ts'
import { IndexMismatchError } from './errors.ts'

const entry = (streamId: string, version: number, offset: number) => ({
  streamId: streamId as StreamId,
  version: version as Version,
  offset,
  eventId: newEventId(),
  timestampMs: 0,
})

test('events are grouped by stream, in order', () => {
  const [a1, b7, a2] = [entry('order.a', 1, 10), entry('order.b', 7, 11), entry('order.a', 2, 12)]
  expect(groupByStream([a1, b7, a2])).toEqual([
    { aggregateId: 'a', entries: [a1, a2] },
    { aggregateId: 'b', entries: [b7] },
  ])
})

test.each([
  { what: 'a gap', version: 4, offset: 11 },
  { what: 'a repeated version', version: 2, offset: 11 },
  { what: 'a decreasing offset', version: 3, offset: 9 },
])('$what within a stream is rejected and named', ({ version, offset }) => {
  const entries = [entry('order.a', 2, 10), entry('order.a', version, offset)]
  expect(() => groupByStream(entries)).toThrow(IndexMismatchError)
  expect(() => groupByStream(entries)).toThrow(
    `stream order.a: version ${version} at offset ${offset} does not follow version 2 at offset 10`,
  )
})
