import { describe, expect, test } from 'vitest'

import {
  type EventId,
  type ExpectedVersion,
  newEventId,
  noVersion,
  parseVersion,
  type StreamId,
} from '#domain'

import { rejection, type Subject } from './store-under-test.ts'

export function idempotencyContract(subject: () => Subject): void {
  /** The nth event with a given id. */
  const event = (n: number, id: EventId) => ({ ...subject().event(n), id })

  /** A stream of five events from three appends: 1 · 2 3 4 · 5. */
  const streamOfFive = async (): Promise<{ streamId: StreamId; ids: readonly EventId[] }> => {
    const { store, freshStreamId } = subject()
    const streamId = freshStreamId()
    const ids = Array.from({ length: 5 }, newEventId)
    const events = ids.map((id, index) => event(index + 1, id))
    await store.append(streamId, events.slice(0, 1))
    await store.append(streamId, events.slice(1, 4))
    await store.append(streamId, events.slice(4))
    return { streamId, ids }
  }

  const pick = (ids: readonly EventId[], versions: readonly number[]): EventId[] =>
    versions.map((version) => ids[version - 1] ?? newEventId())

  describe('the same append sent again', () => {
    test('returns the first answer and stores nothing', async () => {
      const { store, freshStreamId } = subject()
      const streamId = freshStreamId()
      const events = [event(1, newEventId()), event(2, newEventId())]
      const first = await store.append(streamId, events)
      const again = await store.append(streamId, events)
      expect(again).toEqual({ ...first, duplicate: true })
      expect((await store.read(streamId)).events).toHaveLength(2)
    })

    test('returns the first answer also after other appends', async () => {
      const { store } = subject()
      const { streamId, ids } = await streamOfFive()
      const { events } = await store.read(streamId)
      const again = await store.append(
        streamId,
        pick(ids, [2, 3, 4]).map((id) => event(1, id)),
      )
      expect(again).toEqual({
        streamId,
        firstVersion: 2,
        lastVersion: 4,
        position: events[3]?.position,
        eventIds: ids.slice(1, 4),
        duplicate: true,
      })
    })

    test.each<ExpectedVersion>(['any', 'no-stream', 'stream-exists', noVersion, parseVersion(77)])(
      'is recognised regardless of the expected version: %s',
      async (expectedVersion) => {
        const { store } = subject()
        const { streamId, ids } = await streamOfFive()
        const retried = pick(ids, [5]).map((id) => event(5, id))
        expect(await store.append(streamId, retried, { expectedVersion })).toMatchObject({
          firstVersion: 5,
          lastVersion: 5,
          duplicate: true,
        })
        expect((await store.info(streamId)).version).toBe(5)
      },
    )

    test('by ten callers at the same time is stored once, and all get the same answer', async () => {
      const { store, freshStreamId } = subject()
      const streamId = freshStreamId()
      const events = [event(1, newEventId()), event(2, newEventId())]
      const answers = await Promise.all(Array.from({ length: 10 }, () => store.append(streamId, events)))
      expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
      expect(new Set(answers.map((it) => JSON.stringify({ ...it, duplicate: null }))).size).toBe(1)
      expect((await store.read(streamId)).events).toHaveLength(2)
    })
  })

  describe('an append of known events that is not a repetition', () => {
    test.each<[string, number[], number[]]>([
      ['some are new', [4, 99], [4]],
      ['a new one comes first', [99, 5], [5]],
      ['the order differs', [3, 2], [3, 2]],
      ['they are not adjacent', [1, 5], [1, 5]],
      ['one between them is missing', [2, 4], [2, 4]],
    ])('is rejected when %s', async (_, versions, known) => {
      const { store } = subject()
      const { streamId, ids } = await streamOfFive()
      const proposed = pick(ids, versions).map((id) => event(1, id))
      const error = await rejection(store.append(streamId, proposed))
      expect(error.code).toBe('partial-duplicate')
      expect(error.details.known).toEqual(pick(ids, known))
      expect((await store.info(streamId)).version).toBe(5)
    })

    test('is rejected as a partial duplicate regardless of the expected version', async () => {
      const { store } = subject()
      const { streamId, ids } = await streamOfFive()
      const proposed = [...pick(ids, [1]), newEventId()].map((id) => event(1, id))
      const error = await rejection(store.append(streamId, proposed, { expectedVersion: 'no-stream' }))
      expect(error.code).toBe('partial-duplicate')
    })

    test('stores none of its new events: they can be appended separately', async () => {
      const { store } = subject()
      const { streamId, ids } = await streamOfFive()
      const fresh = event(6, newEventId())
      await rejection(store.append(streamId, [event(5, ids[4] ?? newEventId()), fresh]))
      expect(await store.append(streamId, [fresh])).toMatchObject({ firstVersion: 6, duplicate: false })
    })

    test('is rejected when two overlapping appends arrive at once: one succeeds completely, the other stores nothing', async () => {
      const { store, freshStreamId } = subject()
      const streamId = freshStreamId()
      const [a, b, c] = [event(1, newEventId()), event(2, newEventId()), event(3, newEventId())]
      const outcomes = await Promise.allSettled([
        store.append(streamId, [a, b]),
        store.append(streamId, [b, c]),
      ])
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      const { events } = await store.read(streamId)
      const winner = outcomes[0].status === 'fulfilled' ? [a.id, b.id] : [b.id, c.id]
      expect(events.map(({ id }) => id)).toEqual(winner)
    })
  })

  test('the same event id in different streams names different events', async () => {
    const { store, freshStreamId } = subject()
    const shared = event(1, newEventId())
    // Enough streams that some share a partition, because a store may remember ids per partition.
    const streamIds = Array.from({ length: 24 }, freshStreamId)
    const answers = await Promise.all(streamIds.map((streamId) => store.append(streamId, [shared])))
    expect(answers.map(({ firstVersion, duplicate }) => [firstVersion, duplicate])).toEqual(
      streamIds.map(() => [1, false]),
    )
  })
}
