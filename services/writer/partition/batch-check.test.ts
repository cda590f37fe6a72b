import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { type EventId, newEventId, type StreamId, streamIdOf, type Version } from '#domain'
import type { StoredEvent } from '#event-log/records'
import type { Ask, Checked, EventPlace, Guard } from '#redis-index'

import { MemoryBudget } from '../memory/memory-budget.ts'
import { RecentStreams } from '../memory/recent-streams.ts'
import { TermMemory } from '../memory/term-memory.ts'
import { BatchCheck } from './batch-check.ts'
import { PendingAppend } from './pending-append.ts'

const guard: Guard = { topicId: 'a', producerId: 1n, epoch: 1, nextOffset: 10 }
const stream = streamIdOf('order', 'a')

const append = (streamId: StreamId, ...ids: readonly EventId[]): PendingAppend =>
  new PendingAppend(
    streamId,
    'any',
    ids.map((id) => ({ id, type: 'OrderPlaced', metadata: {}, value: Buffer.alloc(1) })),
    0,
  )

/** A log, the memory of its owner, and the index. */
class Partition {
  readonly events = new Map<StreamId, StoredEvent[]>()
  readonly asked: (readonly Ask[])[] = []
  readonly memory: TermMemory
  nextOffset = 0

  constructor({ streamsBytesMax = 1 << 20, idsMax = 100_000 } = {}) {
    const streams = new RecentStreams(streamsBytesMax)
    this.memory = new TermMemory({ streams, ids: new MemoryBudget(Infinity) }, idsMax)
  }

  of(streamId: StreamId): StoredEvent[] {
    return this.events.get(streamId) ?? []
  }

  add(streamId: StreamId, id = newEventId()): StoredEvent {
    const own = this.of(streamId)
    const event: StoredEvent = {
      ...{ id, streamId, type: 'OrderPlaced', metadata: {}, value: Buffer.alloc(100) },
      ...{ timestamp: '2026-01-31T12:00:00.000Z', timestampMs: Date.UTC(2026, 0, 31, 12) },
      version: (own.length + 1) as Version,
      offset: this.nextOffset,
    }
    this.events.set(streamId, [...own, event])
    this.memory.append([event], this.nextOffset++)
    return event
  }

  /** Answers as the index does. */
  check = (asker: Guard, asks: readonly Ask[]): Promise<readonly Checked[]> => {
    expect(asker).toBe(guard)
    this.asked.push(asks)
    return Promise.resolve(
      asks.map(({ streamId, places }) => ({
        version: this.of(streamId).length as Version,
        places: places.filter(({ version, offset }) => this.of(streamId)[version - 1]?.offset === offset),
      })),
    )
  }

  checkBatch(...batch: readonly PendingAppend[]): BatchCheck {
    return new BatchCheck(this.memory, batch)
  }
}

const placeOf = ({ version, offset }: StoredEvent): EventPlace => ({ version, offset })

/** The answer of an index that must not be asked. */
const unasked = { check: () => Promise.reject(new Error('the index was asked')) }

describe('memory alone answers', () => {
  test('for a stream in memory and new ids', async () => {
    const partition = new Partition()
    partition.add(stream)
    const check = partition.checkBatch(append(stream, newEventId(), newEventId()))
    expect(check.isComplete).toBe(true)
    expect(await check.complete(unasked, guard)).toEqual([{ version: 1, events: new Map() }])
  })

  test('for a repeated append to a stream in memory', async () => {
    const partition = new Partition()
    const [, one, two] = [partition.add(stream), partition.add(stream), partition.add(stream)]
    const check = partition.checkBatch(append(stream, one.id, two.id))
    expect(await check.complete(unasked, guard)).toEqual([
      {
        version: 3,
        events: new Map([
          [one.id, placeOf(one)],
          [two.id, placeOf(two)],
        ]),
      },
    ])
  })

  test('that an id of other streams is new in this one', async () => {
    const partition = new Partition()
    const id = newEventId()
    for (const other of ['b', 'c', 'd']) partition.add(streamIdOf('order', other), id)
    partition.add(stream)
    const check = partition.checkBatch(append(stream, id))
    expect(await check.complete(unasked, guard)).toEqual([{ version: 1, events: new Map() }])
  })

  test('where an id that many streams have is in this one', async () => {
    const partition = new Partition()
    const id = newEventId()
    partition.add(streamIdOf('order', 'b'), id)
    const own = partition.add(stream, id)
    partition.add(streamIdOf('order', 'c'), id)
    const check = partition.checkBatch(append(stream, id))
    expect(await check.complete(unasked, guard)).toEqual([
      { version: 1, events: new Map([[id, placeOf(own)]]) },
    ])
  })
})

describe('the index is asked', () => {
  test('for the version of a stream that is not in memory, and its answer takes the place of the append', async () => {
    const partition = new Partition({ streamsBytesMax: 1 })
    const other = streamIdOf('order', 'b')
    partition.add(other)
    partition.add(other)
    const check = partition.checkBatch(append(stream, newEventId()), append(other, newEventId()))
    expect(check.isComplete).toBe(false)
    expect(await check.complete(partition, guard)).toEqual([
      { version: 0, events: new Map() },
      { version: 2, events: new Map() },
    ])
    expect(partition.asked).toEqual([
      [
        { streamId: stream, places: [] },
        { streamId: other, places: [] },
      ],
    ])
  })

  test('only for what memory does not know', async () => {
    const partition = new Partition()
    const known = partition.add(stream)
    const other = streamIdOf('order', 'b')
    const check = partition.checkBatch(append(stream, known.id), append(other, newEventId()), append(stream))
    const events = new Map([[known.id, placeOf(known)]])
    expect(await check.complete(partition, guard)).toEqual([
      { version: 1, events },
      { version: 0, events: new Map() },
      { version: 1, events: new Map() },
    ])
    expect(partition.asked).toEqual([[{ streamId: other, places: [] }]])
  })

  test('whether a stream of which memory has only the last events has an older id', async () => {
    const partition = new Partition()
    const older = partition.add(stream)
    const foreign = partition.add(streamIdOf('order', 'b'))
    for (let count = 0; count < 3_500; count++) partition.add(stream)
    const newer = partition.of(stream).at(-1) as StoredEvent
    expect(partition.memory.stream(stream)?.firstVersion).toBeGreaterThan(1)
    const check = partition.checkBatch(append(stream, newer.id, older.id, foreign.id))
    expect(await check.complete(partition, guard)).toEqual([
      {
        version: 3_501,
        events: new Map([
          [newer.id, placeOf(newer)],
          [older.id, placeOf(older)],
        ]),
      },
    ])
    expect(partition.asked).toEqual([[{ streamId: stream, places: [placeOf(older), placeOf(foreign)] }]])
  })

  test.each([0, 999, 1_000, 1_001, 2_499])(
    'about at most 1,000 places at a time: an id in 2,500 streams is found in stream %d',
    async (at) => {
      const partition = new Partition({ streamsBytesMax: 1 })
      const id = newEventId()
      const streamIds = Array.from({ length: 2_500 }, (_, index) => streamIdOf('order', String(index)))
      const added = streamIds.map((streamId) => partition.add(streamId, id))
      const [streamId = stream, own] = [streamIds[at], added[at]]
      const second = partition.add(streamId)
      const batch = [
        append(streamId, id, second.id),
        append(stream, newEventId()),
        append(stream, newEventId(), id),
      ]
      const known = await partition.checkBatch(...batch).complete(partition, guard)
      expect(known).toEqual([
        {
          version: 2,
          events: new Map([
            [id, placeOf(own as StoredEvent)],
            [second.id, placeOf(second)],
          ]),
        },
        { version: 0, events: new Map() },
        { version: 0, events: new Map() },
      ])
      const places = partition.asked.map((asks) => asks.reduce((sum, ask) => sum + ask.places.length, 0))
      expect(Math.max(...places)).toBeLessThanOrEqual(1_000)
      expect(places.reduce((sum, count) => sum + count, 0)).toBe(5_001)
      expect(places.length).toBeLessThanOrEqual(6)
    },
  )

  test('in one script for many appends without known ids', async () => {
    const partition = new Partition()
    const batch = Array.from({ length: 1_500 }, (_, index) =>
      append(streamIdOf('order', String(index)), newEventId()),
    )
    expect(await partition.checkBatch(...batch).complete(partition, guard)).toHaveLength(1_500)
    expect(partition.asked.map(({ length }) => length)).toEqual([1_500])
  })

  test('and its lost guard in any script is the answer of all', async () => {
    const partition = new Partition({ streamsBytesMax: 1 })
    const id = newEventId()
    for (let index = 0; index < 1_500; index++) partition.add(streamIdOf('order', String(index)), id)
    let scripts = 0
    const check = (asker: Guard, asks: readonly Ask[]) =>
      ++scripts === 2 ? Promise.resolve('guard-lost' as const) : partition.check(asker, asks)
    expect(await partition.checkBatch(append(stream, id)).complete({ check }, guard)).toBe('guard-lost')
    expect(scripts).toBe(2)
  })

  test('and must answer for every stream', async () => {
    const check = new Partition().checkBatch(append(stream, newEventId()))
    await expect(check.complete({ check: () => Promise.resolve([]) }, guard)).rejects.toThrow(
      'the index did not answer for order.a',
    )
  })
})

const streamIds = ['a', 'b', 'c', 'd'].map((id) => streamIdOf('order', id))
const ids = Array.from({ length: 8 }, newEventId)
const place = fc.record({ at: fc.nat(streamIds.length - 1), id: fc.nat(ids.length - 1) })

test('memory and index together know what the log has, whatever memory has evicted', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.integer({ min: 1, max: 4_000 }), fc.constant(1 << 20)),
      fc.array(place, { maxLength: 40 }),
      fc.array(
        fc.record({
          at: fc.nat(streamIds.length - 1),
          ids: fc.uniqueArray(fc.nat(ids.length - 1), { maxLength: 4 }),
        }),
        { maxLength: 6 },
      ),
      async (streamsBytesMax, logged, asked) => {
        const partition = new Partition({ streamsBytesMax })
        for (const { at, id } of logged) addOnce(partition, streamIds[at] ?? stream, ids[id] ?? newEventId())
        const batch = asked.map((one) =>
          append(streamIds[one.at] ?? stream, ...one.ids.flatMap((id) => ids[id] ?? []), newEventId()),
        )
        const known = await partition.checkBatch(...batch).complete(partition, guard)
        expect(known).toEqual(
          batch.map(({ streamId, eventIds }) => ({
            version: partition.of(streamId).length,
            events: new Map(
              partition
                .of(streamId)
                .filter(({ id }) => eventIds.includes(id))
                .map((event) => [event.id, placeOf(event)]),
            ),
          })),
        )
      },
    ),
    { numRuns: 300 },
  )
})

/** A stream has an id at most once: a repeated append adds nothing. */
function addOnce(partition: Partition, streamId: StreamId, id: EventId): void {
  if (!partition.of(streamId).some((event) => event.id === id)) partition.add(streamId, id)
}
