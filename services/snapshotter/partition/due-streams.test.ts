import { expect, test } from 'vitest'

import { newEventId, parseStreamId, parseVersion } from '#domain'
import { toLogRecord } from '#event-log/records'
import type { StoredRecord } from '#kafka'

import { dueStreams } from './due-streams.ts'

const recordOf = (streamId: string, version: number, offset: number): StoredRecord => {
  const record = toLogRecord({
    id: newEventId(),
    streamId: parseStreamId(streamId),
    type: 'OrderPlaced',
    version: parseVersion(version),
    timestamp: '2026-01-31T12:00:00.000Z',
    timestampMs: Date.UTC(2026, 0, 31, 12),
    metadata: {},
    value: Buffer.from([0, 0, 0, 0, 1, 2]),
  })
  return { ...record, offset, headers: record.headers.map(([name, value]) => [name, Buffer.from(value)]) }
}

const unexpected = (offset: number, error: unknown): never => {
  throw new Error(`offset ${offset}`, { cause: error })
}

test('a stream is due at multiples of its interval, once for each batch of records', () => {
  const records = [
    ...Array.from({ length: 21 }, (_, index) => recordOf('order.long', index + 1, index)),
    ...Array.from({ length: 9 }, (_, index) => recordOf('order.short', index + 1, 30 + index)),
    recordOf('order.later', 50, 40),
  ]
  expect([...dueStreams('eventstore.order', records, 10, unexpected)]).toEqual([
    ['order.long', 20],
    ['order.later', 50],
  ])
})

test('a record that is not an event is reported and skipped', () => {
  const foreign: StoredRecord = { ...recordOf('order.a', 10, 7), headers: [] }
  const reported: number[] = []
  const due = dueStreams('eventstore.order', [foreign, recordOf('order.b', 10, 8)], 10, (offset) =>
    reported.push(offset),
  )
  expect([...due.keys()]).toEqual(['order.b'])
  expect(reported).toEqual([7])
})
