import { expect, test } from 'vitest'

import { type NewEvent, newEventId, parseEventId, parseStreamId } from '#domain'

import type { AppendRequest } from './batch.ts'
import type { EventStoreError } from './errors.ts'
import { validateAppend } from './validate-append.ts'

const streamId = parseStreamId('order.order-42')
const itemAdded: NewEvent = { type: 'ItemAdded', data: { sku: 'a' } }
const limits = { eventsPerAppendMax: 3 }

function refusal(request: unknown): EventStoreError | undefined {
  try {
    validateAppend(request as AppendRequest, limits)
  } catch (error) {
    return error as EventStoreError
  }
  return undefined
}

test('an append keeps its stream, its events and their ids', () => {
  const id = newEventId()
  const append = validateAppend(
    { streamId, events: [{ ...itemAdded, id }], expectedVersion: 'no-stream' },
    limits,
  )
  expect(append).toEqual({
    streamId,
    expectedVersion: 'no-stream',
    events: [{ ...itemAdded, id }],
    eventIds: [id],
  })
})

test('events without an id get a new one each', () => {
  const { events, eventIds } = validateAppend({ streamId, events: [itemAdded, itemAdded] }, limits)
  expect(events.map(({ id }) => id)).toEqual(eventIds)
  expect(eventIds[0]).not.toBe(eventIds[1])
  expect(eventIds.map((id) => parseEventId(id))).toEqual(eventIds)
})

test('ids are compared without case, so a retry in another case is recognised', () => {
  const id = newEventId()
  const shouted = id.toUpperCase() as typeof id
  expect(validateAppend({ streamId, events: [{ ...itemAdded, id: shouted }] }, limits).eventIds).toEqual([id])
  expect(
    refusal({
      streamId,
      events: [
        { ...itemAdded, id },
        { ...itemAdded, id: shouted },
      ],
    }),
  ).toMatchObject({
    details: { path: 'events[1].id' },
  })
})

test('the maximum number of events is accepted', () => {
  expect(refusal({ streamId, events: [itemAdded, itemAdded, itemAdded] })).toBeUndefined()
})

test.each([
  ['events', 'append-too-large', { streamId, events: [1, 2, 3, 4].map(() => itemAdded) }],
  ['events', 'invalid-request', { streamId, events: [] }],
  ['streamId', 'invalid-request', { streamId: 'order', events: [itemAdded] }],
  ['expectedVersion', 'invalid-request', { streamId, events: [itemAdded], expectedVersion: null }],
  ['expectedVersion', 'invalid-request', { streamId, events: [itemAdded], expectedVersion: 'newest' }],
  ['events[1].type', 'invalid-request', { streamId, events: [itemAdded, { data: {} }] }],
  ['events[0].type', 'invalid-request', { streamId, events: [{ type: '', data: {} }] }],
  ['events[1].id', 'invalid-request', { streamId, events: [itemAdded, { ...itemAdded, id: '42' }] }],
])('an error at %s is %s with its path: %#', (path, code, request) => {
  const error = refusal(request)
  expect(error).toMatchObject({ name: 'EventStoreError', code, details: { path } })
  expect(error?.message).toMatch(/expected/)
})
