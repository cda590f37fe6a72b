import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  aggregateTypeOfTopic,
  eventTopic,
  formatPartition,
  isEventTopic,
  parsePartition,
  partitionKey,
  partitionOfKey,
  partitionOfStream,
  snapshotTopic,
} from './log-address.ts'
import { formatPosition, position } from './position.ts'
import { parseStreamId } from './stream-id.ts'

const place = fc.record({
  topic: fc.stringMatching(/^[\w.-]{1,80}$/),
  partition: fc.integer({ min: 0, max: 9_999 }),
})

test('an event topic contains its aggregate type, and other topics are not event topics', () => {
  expect(eventTopic('order')).toBe('eventstore.order')
  expect(aggregateTypeOfTopic(eventTopic('order'))).toBe('order')
  expect(isEventTopic(eventTopic('order'))).toBe(true)
  expect(isEventTopic(snapshotTopic('order'))).toBe(false)
})

test('the events of a stream go to the partition of its id in the topic of its type', () => {
  expect(partitionOfStream(parseStreamId('order.order-42'), 32)).toEqual({
    topic: 'eventstore.order',
    partition: 25,
  })
})

test('both text forms of a partition parse to the same partition', () => {
  fc.assert(
    fc.property(place, (at) => {
      expect(partitionOfKey(partitionKey(at))).toEqual(at)
      expect(parsePartition(formatPartition(at))).toEqual(at)
    }),
  )
})

test('a position starts with the text form of its partition', () => {
  const at = position('eventstore.order', 3, 42)
  expect(formatPosition(at)).toBe(`${formatPartition(at)}:42`)
  expect(partitionKey(at)).toBe('eventstore.order/3')
})
