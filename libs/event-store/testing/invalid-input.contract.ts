import { describe, expect, test } from 'vitest'

import {
  type EventMetadata,
  type ExpectedVersion,
  newEventId,
  type EventId,
  type ReadOptions,
  type StreamId,
  type Version,
} from '#domain'

import { rejection, type Subject } from './store-under-test.ts'

export function invalidInputContract(subject: () => Subject): void {
  describe('invalid input is rejected, and nothing is stored', () => {
    test.each([-1, 1.5, 'latest', '3', null])('expected version %j', async (expected) => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const error = await rejection(
        store.append(streamId, [event(1)], { expectedVersion: expected as ExpectedVersion }),
      )
      expect(error).toMatchObject({ code: 'invalid-request', details: { path: 'expectedVersion' } })
      expect((await store.load(streamId)).version).toBe(0)
    })

    test('an append without events', async () => {
      const { store, freshStreamId } = subject()
      const error = await rejection(store.append(freshStreamId(), []))
      expect(error).toMatchObject({ code: 'invalid-request', details: { path: 'events' } })
    })

    test('an append with too many events', async () => {
      const { store, event, freshStreamId, eventsPerAppendMax } = subject()
      const streamId = freshStreamId()
      const events = Array.from({ length: eventsPerAppendMax + 1 }, (_, index) => event(index + 1))
      expect((await rejection(store.append(streamId, events))).code).toBe('append-too-large')
      expect((await store.load(streamId)).version).toBe(0)
    })

    test('an event id that is not a UUID', async () => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const events = [event(1), { ...event(2), id: 'second' as EventId }]
      const error = await rejection(store.append(streamId, events))
      expect(error).toMatchObject({ code: 'invalid-request', details: { path: 'events[1].id' } })
      expect((await store.load(streamId)).version).toBe(0)
    })

    test('an event id twice in one append', async () => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const id = newEventId()
      const events = [{ ...event(1), id }, event(2), { ...event(3), id }]
      const error = await rejection(store.append(streamId, events))
      expect(error).toMatchObject({ code: 'invalid-request', details: { path: 'events[2].id' } })
      expect((await store.load(streamId)).version).toBe(0)
    })

    test.each(['customer', 'Customer.1', 'customer.', '.1', 'customer.a b'])(
      'stream id %j',
      async (malformed) => {
        const { store, event } = subject()
        const streamId = malformed as StreamId
        for (const attempt of [
          store.append(streamId, [event(1)]),
          store.load(streamId),
          store.read(streamId),
          store.info(streamId),
        ]) {
          expect(await rejection(attempt)).toMatchObject({
            code: 'invalid-request',
            details: { path: 'streamId' },
          })
        }
      },
    )

    test.each(['a\u202eb', 'a\u200bb', 'a\ufe0f', 'Zoe\u0308'])(
      'an append that would create a stream with the id %j',
      async (id) => {
        const { store, event, freshStreamId } = subject()
        const streamId = `${freshStreamId()}${id}` as StreamId
        expect(await rejection(store.append(streamId, [event(1)]))).toMatchObject({
          code: 'invalid-request',
          details: { path: 'streamId' },
        })
        expect((await store.load(streamId)).version).toBe(0)
      },
    )

    test.each([
      ['userId', 'a\r\nx-admin: 1'],
      ['correlationId', 'a\u0000'],
      ['causationId', '\u001b[2J'],
      ['sessionId', 'a\u007f'],
      ['source', 'urn:\u0085'],
      ['traceparent', '\u009b'],
      ['userId', '\ud800'],
      ['userId', 7],
      ['tenant', null],
      ['tenant', ['a']],
      ['tenant', NaN],
      ['tenant', 'a\u0000'],
      ['userid', 'a'],
    ])('metadata with the %s %j', async (field, value) => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const metadata = { [field]: value } as EventMetadata
      const error = await rejection(store.append(streamId, [event(1), { ...event(2), metadata }]))
      expect(error).toMatchObject({
        code: 'invalid-request',
        details: { path: `events[1].metadata.${field}` },
      })
      expect((await store.load(streamId)).version).toBe(0)
    })

    test.each<[string, unknown]>([
      ['metadata', new Map([['userId', 'a']])],
      ['metadata', new Date(0)],
      ['metadata.constructor', { constructor: 'a' }],
      ['metadata.toString', { toString: 'a' }],
      ['metadata["user\\ud800"]', { 'user\ud800': 'a' }],
      ['metadata["__proto__"]', JSON.parse('{"__proto__":"a"}')],
      ['metadata', Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`key${index}`, index]))],
      ['metadata', { large: 'x'.repeat(8 << 10) }],
    ])('metadata with an invalid %s', async (path, metadata) => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const wrong = { ...event(2), metadata: metadata as EventMetadata }
      expect(await rejection(store.append(streamId, [event(1), wrong]))).toMatchObject({
        code: 'invalid-request',
        details: { path: `events[1].${path}` },
      })
      expect((await store.load(streamId)).version).toBe(0)
    })

    test.each<[string, string, unknown]>([
      ['NaN', '.amount', { amount: NaN }],
      ['an infinity', '.amount', { amount: -Infinity }],
      ['a bigint', '.amount', { amount: 12n }],
      ['a Date', '.date', { date: new Date(0) }],
      ['a Map', '.amount', { amount: new Map([['a', 1]]) }],
      ['a function', '.amount', { amount: () => '1.00' }],
      ['a lone surrogate', '.amount', { amount: 'a\ud800' }],
      ['a lone surrogate in a key', '["a\\ud800"]', { 'a\ud800': '1.00' }],
      ['the key __proto__', '.__proto__', JSON.parse('{"__proto__":1}')],
      ['a hole in an array', '.amount[0]', { amount: new Array<string>(1) }],
      ['a nested value', '.amount.a[1].b', { amount: { a: [1, { b: Infinity }] } }],
    ])('data that JSON would change or drop: %s', async (_, path, wrong) => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const { type, data } = event(2)
      const misfit = { type, data: withMembers(data, wrong) }
      expect(await rejection(store.append(streamId, [event(1), misfit]))).toMatchObject({
        code: 'invalid-event',
        details: { path: `events[1].data${path}` },
      })
      expect((await store.load(streamId)).version).toBe(0)
    })

    test.each([new Map([['amount', '1.00']]), new Date(0), 7n, Number.NaN, '\udc00'])(
      'data that is %o itself',
      async (data) => {
        const { store, event, freshStreamId } = subject()
        const streamId = freshStreamId()
        const error = await rejection(store.append(streamId, [{ type: event(1).type, data }]))
        expect(error).toMatchObject({ code: 'invalid-event', details: { path: 'events[0].data' } })
        expect((await store.load(streamId)).version).toBe(0)
      },
    )

    test.each<[string, ReadOptions]>([
      ['limit', { limit: 0 }],
      ['limit', { limit: 1001 }],
      ['limit', { limit: 2.5 }],
      ['fromVersion', { fromVersion: -1 as Version }],
      ['toVersion', { toVersion: 1.5 as Version }],
      ['direction', { direction: 'sideways' as 'forwards' }],
      ['from', { from: 'yesterday' }],
      ['until', { until: '2026-13-01T00:00:00Z' }],
      ['until', { until: '2026-01-31T12:00:00' }],
    ])('a read with a malformed %s: %j', async (path, options) => {
      const { store, freshStreamId } = subject()
      expect(await rejection(store.read(freshStreamId(), options))).toMatchObject({
        code: 'invalid-request',
        details: { path },
      })
    })
  })
}

/** Defines properties one by one, because spreading would set the prototype for `__proto__`. */
function withMembers(data: unknown, members: unknown): object {
  const joined = { ...(data as object) }
  for (const [key, value] of Object.entries(members as object)) {
    Object.defineProperty(joined, key, { value, enumerable: true })
  }
  return joined
}
