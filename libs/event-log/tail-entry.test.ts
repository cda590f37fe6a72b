import { expect, test } from 'vitest'

import { newEventId, parseVersion, streamIdOf } from '#domain'

import { packEvent, unpackEvent } from './tail-entry.ts'

test('an event round-trips through the index', () => {
  const event = {
    id: newEventId(),
    streamId: streamIdOf('customer', 'ada'),
    type: 'PurchaseMade',
    version: parseVersion(7),
    timestamp: '2026-01-31T12:00:00.123Z',
    timestampMs: Date.UTC(2026, 0, 31, 12, 0, 0, 123),
    metadata: { correlationId: 'c-1', userId: 'ü' },
    value: Buffer.from([0, 0, 0, 0, 9, 1, 2, 3]),
    offset: 2 ** 40,
  }
  const packed = packEvent(event, event.offset)
  expect(unpackEvent(event.streamId, packed)).toEqual(event)
  expect(packed.length).toBeLessThan(100)
})
