import { expect, test } from 'vitest'

import { type NewEvent } from './event.ts'
import { deriveEventId, newEventId, parseEventId } from './event-id.ts'
import { identifyEvents } from './identify-events.ts'

const event: NewEvent = { type: 'OrderPlaced', data: {} }

test('an event keeps its id, and each of the others gets a new one', () => {
  const known = { ...event, id: newEventId() }
  const [first, second, third] = identifyEvents([event, known, event])
  expect(second).toBe(known)
  expect(parseEventId(first?.id ?? '')).toBe(first?.id)
  expect(new Set([first?.id, second?.id, third?.id]).size).toBe(3)
  expect(event).not.toHaveProperty('id')
})

test('ids can be derived from the index of the event', () => {
  const idAt = (index: number) => deriveEventId('order.1', 'checkout-17', index)
  expect(identifyEvents([event, event], idAt).map(({ id }) => id)).toEqual([idAt(0), idAt(1)])
})
