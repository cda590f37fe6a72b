import { describe, expect, test } from 'vitest'

import {
  type EventMetadata,
  type ExpectedVersion,
  newEventId,
  noVersion,
  parseVersion,
  type StreamId,
} from '#domain'

import { rejection, type Subject } from './store-under-test.ts'

const isoMilliseconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

export function appendContract(subject: () => Subject): void {
  const appended = async (count: number): Promise<StreamId> => {
    const { store, event, freshStreamId } = subject()
    const streamId = freshStreamId()
    for (let n = 1; n <= count; n += 1) await store.append(streamId, [event(n)])
    return streamId
  }

  describe('an append', () => {
    test('assigns the versions after the stream’s version, in order', async () => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const first = await store.append(streamId, [event(1), event(2)])
      const second = await store.append(streamId, [event(3)])
      expect(first).toMatchObject({ streamId, firstVersion: 1, lastVersion: 2, duplicate: false })
      expect(second).toMatchObject({ streamId, firstVersion: 3, lastVersion: 3, duplicate: false })
      const { events } = await store.read(streamId)
      expect(events.map(({ version, data }) => [version, data])).toEqual([
        [1, event(1).data],
        [2, event(2).data],
        [3, event(3).data],
      ])
    })

    test('keeps type, data, stream and time of an event', async () => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      await store.append(streamId, [event(7)])
      const { events } = await store.read(streamId)
      expect(events).toHaveLength(1)
      expect(events[0]).toMatchObject({ ...event(7), streamId, version: 1 })
      expect(events[0]?.timestamp).toMatch(isoMilliseconds)
    })

    test('returns the event ids: those of the caller, and new ones for events without an id', async () => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const own = newEventId()
      const { eventIds } = await store.append(streamId, [event(1), { ...event(2), id: own }, event(3)])
      const { events } = await store.read(streamId)
      expect(eventIds).toEqual(events.map(({ id }) => id))
      expect(eventIds[1]).toBe(own)
      expect(new Set(eventIds).size).toBe(3)
    })

    test('returns the position of its last event; positions increase with versions', async () => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const first = await store.append(streamId, [event(1), event(2)])
      const second = await store.append(streamId, [event(3)])
      const { events } = await store.read(streamId)
      const positions = events.map(({ position }) => position)
      expect(first.position).toEqual(positions[1])
      expect(second.position).toEqual(positions[2])
      const offsets = positions.map(({ offset }) => offset)
      expect(offsets).toEqual([...new Set(offsets)].toSorted((a, b) => a - b))
      expect(new Set(positions.map(({ topic, partition }) => `${topic}:${partition}`)).size).toBe(1)
    })

    test('keeps the given metadata, and adds none', async () => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      const metadata: EventMetadata = {
        correlationId: 'request-1',
        causationId: newEventId(),
        userId: 'Zoë',
        sessionId: 'session 9',
        source: '/shop/checkout',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      }
      const partly: EventMetadata = { userId: 'ada', tenant: 'acme', 'retry.count': 3, isTrial: false }
      await store.append(streamId, [{ ...event(1), metadata }, event(2), { ...event(3), metadata: partly }])
      const { events } = await store.read(streamId)
      expect(events.map((recorded) => recorded.metadata)).toEqual([metadata, {}, partly])
    })

    test('does not change other streams', async () => {
      const { store } = subject()
      const [one, other] = [await appended(2), await appended(1)]
      expect((await store.info(one)).version).toBe(2)
      expect((await store.info(other)).version).toBe(1)
    })

    test('is visible to the next load, read and info', async () => {
      const { store, event, freshStreamId } = subject()
      const streamId = freshStreamId()
      for (let version = 1; version <= 20; version += 1) {
        await store.append(streamId, [event(version)])
        const [loaded, page, info] = await Promise.all([
          store.load(streamId),
          store.read(streamId, { direction: 'backwards', limit: 1 }),
          store.info(streamId),
        ])
        expect(loaded.version).toBe(version)
        expect(loaded.events.at(-1)?.version).toBe(version)
        expect([page.version, page.events[0]?.version]).toEqual([version, version])
        expect(info.version).toBe(version)
      }
    })

    test('may contain the maximum number of events', async () => {
      const { store, event, freshStreamId, eventsPerAppendMax } = subject()
      const streamId = freshStreamId()
      const events = Array.from({ length: eventsPerAppendMax }, (_, index) => event(index + 1))
      expect(await store.append(streamId, events)).toMatchObject({ lastVersion: eventsPerAppendMax })
      expect((await store.info(streamId)).version).toBe(eventsPerAppendMax)
    })
  })

  describe('the expected version', () => {
    const three = parseVersion(3)
    test.each<[ExpectedVersion, number, 'accepted' | 'rejected']>([
      ['any', 0, 'accepted'],
      ['any', 3, 'accepted'],
      ['no-stream', 0, 'accepted'],
      ['no-stream', 3, 'rejected'],
      ['stream-exists', 0, 'rejected'],
      ['stream-exists', 3, 'accepted'],
      [noVersion, 0, 'accepted'],
      [noVersion, 3, 'rejected'],
      [three, 0, 'rejected'],
      [three, 3, 'accepted'],
      [parseVersion(2), 3, 'rejected'],
      [parseVersion(4), 3, 'rejected'],
    ])('%s of a stream at %i is %s', async (expectedVersion, actual, outcome) => {
      const { store, event } = subject()
      const streamId = await appended(actual)
      const append = store.append(streamId, [event(8), event(9)], { expectedVersion })
      if (outcome === 'accepted') {
        expect(await append).toMatchObject({ firstVersion: actual + 1, lastVersion: actual + 2 })
        return
      }
      const error = await rejection(append)
      expect(error.code).toBe('wrong-expected-version')
      expect(error.details).toMatchObject({ expected: expectedVersion, actual })
      expect((await store.load(streamId)).version).toBe(actual)
    })

    test('defaults to any', async () => {
      const { store, event } = subject()
      const streamId = await appended(2)
      expect(await store.append(streamId, [event(3)])).toMatchObject({ lastVersion: 3 })
    })

    test('that is not met stores nothing: the same events can be appended later', async () => {
      const { store, event } = subject()
      const streamId = await appended(1)
      const events = [event(2), event(3)].map((it) => ({ ...it, id: newEventId() }))
      await rejection(store.append(streamId, events, { expectedVersion: noVersion }))
      expect((await store.read(streamId)).events).toHaveLength(1)
      expect(await store.append(streamId, events)).toMatchObject({ firstVersion: 2, duplicate: false })
    })
  })
}
