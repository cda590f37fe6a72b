import { expect, test } from 'vitest'

import {
  defineAggregate,
  type DomainEvent,
  type NewEvent,
  parseStreamId,
  parseVersion,
  type StreamId,
} from '#domain'
import { eventStoreContract } from '#event-store/testing'

import { EventStoreError } from './errors.ts'
import { InMemoryEventStore } from './in-memory-event-store.ts'

eventStoreContract('in memory', () => {
  const store = new InMemoryEventStore()
  return { store, snapshots: store }
})

eventStoreContract('in memory, small limits', () => {
  const store = new InMemoryEventStore({ eventsPerAppendMax: 20 })
  return { store, snapshots: store, eventsPerAppendMax: 20 }
})

const streamId = parseStreamId('order.order-42')
const itemAdded = (sku: string): NewEvent => ({ type: 'ItemAdded', data: { sku, tags: ['new'] } })

test('timestamps come from the given clock', async () => {
  const store = new InMemoryEventStore({ now: () => new Date('2026-01-31T12:00:00Z') })
  await store.append(streamId, [itemAdded('a')])
  expect((await store.info(streamId)).lastTimestamp).toBe('2026-01-31T12:00:00.000Z')
})

test('each aggregate type has its topic, and offsets count across the whole store', async () => {
  const store = new InMemoryEventStore()
  await store.append(streamId, [itemAdded('a'), itemAdded('b')])
  const { position } = await store.append(parseStreamId('customer.ada'), [itemAdded('c')])
  expect(position).toEqual({ topic: 'eventstore.customer', partition: 0, offset: 2 })
})

test('changes to an event object after the append do not affect the store', async () => {
  const store = new InMemoryEventStore()
  const data = { sku: 'a', tags: ['new'] }
  await store.append(streamId, [{ type: 'ItemAdded', data }])
  data.tags.push('sold')
  expect((await store.read(streamId)).events[0]?.data).toEqual({ sku: 'a', tags: ['new'] })
})

test('results are frozen', async () => {
  const store = new InMemoryEventStore()
  await store.append(streamId, [itemAdded('a')])
  const { events } = await store.load(streamId)
  const event = events[0] as { version: number; data: { tags: string[] } } | undefined
  expect(() => event?.data.tags.push('sold')).toThrow(TypeError)
  expect(() => {
    if (event !== undefined) event.version = 7
  }).toThrow(TypeError)
  expect(() => (events as unknown[]).pop()).not.toThrow()
  expect((await store.load(streamId)).events).toHaveLength(1)
})

test('changes to a snapshot object after saving do not affect the store', async () => {
  const store = new InMemoryEventStore()
  await store.append(streamId, [itemAdded('a')])
  const state = { items: 1 }
  const snapshot = {
    streamId,
    version: parseVersion(1),
    stateVersion: 1,
    state,
    timestamp: '2026-01-31T12:00:00.000Z',
  }
  await store.saveSnapshot(snapshot)
  state.items = 2
  expect((await store.load(streamId, { stateVersion: 1 })).snapshot?.state).toEqual({ items: 1 })
})

test('a load returns the configured number of events, and the version shows that there are more', async () => {
  const store = new InMemoryEventStore({ eventsPerLoadMax: 2 })
  await store.append(streamId, ['a', 'b', 'c', 'd', 'e'].map(itemAdded))
  const loaded = await store.load(streamId)
  expect([loaded.version, loaded.events.map(({ version }) => version)]).toEqual([5, [1, 2]])
})

test('data that JSON cannot represent is rejected with its path, and nothing is stored', async () => {
  const store = new InMemoryEventStore()
  const events = [itemAdded('a'), { type: 'ItemAdded', data: { price: () => 12 } }]
  await expect(store.append(streamId, events)).rejects.toMatchObject({
    code: 'invalid-event',
    details: { path: 'events[1].data.price' },
  })
  expect(await store.append(streamId, [itemAdded('a')])).toMatchObject({
    firstVersion: 1,
    position: { offset: 0 },
  })
})

test('data is stored as JSON: without undefined members, and with 0 for -0', async () => {
  const store = new InMemoryEventStore()
  const data = { a: undefined, b: -0, c: [{ d: undefined }] }
  await store.append(streamId, [{ type: 'ItemAdded', data }])
  const [event] = (await store.read(streamId)).events
  expect(event?.data).toStrictEqual({ b: 0, c: [{}] })
})

test.each([0, 2])('a snapshot at version %i of a stream at version 1 is rejected', async (version) => {
  const store = new InMemoryEventStore()
  await store.append(streamId, [itemAdded('a')])
  const snapshot = { streamId, version: parseVersion(version), stateVersion: 1, state: {}, timestamp: '' }
  await expect(store.saveSnapshot(snapshot)).rejects.toMatchObject({ code: 'invalid-request' })
})

test('many appends return one result each, in order', async () => {
  const store = new InMemoryEventStore()
  const answers = await store.appendMany([
    { streamId, events: [itemAdded('a')] },
    { streamId, events: [itemAdded('b')], expectedVersion: 'no-stream' },
    { streamId, events: [itemAdded('c')], expectedVersion: parseVersion(1) },
  ])
  expect(answers).toMatchObject([{ lastVersion: 1 }, { code: 'wrong-expected-version' }, { lastVersion: 2 }])
  expect(answers[1]).toBeInstanceOf(EventStoreError)
})

test('many appends reject when the store itself fails', async () => {
  const store = new InMemoryEventStore({
    now: () => {
      throw new Error('the clock is broken')
    },
  })
  await expect(store.appendMany([{ streamId, events: [itemAdded('a')] }])).rejects.toThrow('clock is broken')
})

test('streams of configured aggregates accept only events that the aggregate evolves', async () => {
  const order = defineAggregate<object, DomainEvent<'Placed'>>({
    type: 'order',
    initialState: {},
    evolve: { Placed: (state) => state },
  })
  const store = new InMemoryEventStore({ aggregates: [order] })
  const [known, unknown] = ['order.1', 'cart.1'].map(parseStreamId) as [StreamId, StreamId]
  await store.append(known, [{ type: 'Placed', data: {} }])
  await expect(
    store.append(known, [
      { type: 'Placed', data: {} },
      { type: 'OrderState', data: {} },
    ]),
  ).rejects.toMatchObject({ code: 'unknown-event-type', details: { path: 'events[1].type' } })
  expect((await store.load(known)).version).toBe(1)
  await store.append(unknown, [{ type: 'OrderState', data: {} }])
})
