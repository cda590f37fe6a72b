import { describe, expect, test } from 'vitest'

import { newEventId, type StreamId, streamIdOf, type Version, writeEventId } from '#domain'
import type { StoredEvent } from '#event-log/records'
import { type EventPlace, type Guard, StoredIds } from '#redis-index'

import { MemoryBudget } from './memory-budget.ts'
import { RecentStreams } from './recent-streams.ts'
import { TermMemory } from './term-memory.ts'

const guard: Guard = { topicId: 'topic', producerId: 1n, epoch: 1, nextOffset: 100 }
const stream = streamIdOf('order', 'a')
const other = streamIdOf('order', 'b')

const event = (streamId: StreamId, version: number, offset: number): StoredEvent => ({
  id: newEventId(),
  streamId,
  type: 'OrderPlaced',
  version: version as Version,
  timestamp: '2026-01-31T12:00:00.000Z',
  timestampMs: Date.UTC(2026, 0, 31, 12),
  metadata: {},
  value: Buffer.alloc(500),
  offset,
})

/** The first versions of a stream, at these offsets. */
const events = (streamId: StreamId, ...offsets: readonly number[]): StoredEvent[] =>
  offsets.map((offset, index) => event(streamId, index + 1, offset))

function memoryOf(streamsBytesMax = 1 << 20, streams = new RecentStreams(streamsBytesMax)) {
  const ids = new MemoryBudget(1 << 20)
  return { memory: new TermMemory({ streams, ids }, 1_000), streams, ids }
}

/** An index that remembers these ids, in segments. */
function indexOf(
  ...segments: readonly ('guard-lost' | readonly (EventPlace & { id: StoredEvent['id'] })[])[]
) {
  return {
    rememberedIds: async function* (asked: Guard): AsyncGenerator<'guard-lost' | StoredIds> {
      expect(asked).toEqual(guard)
      for (const segment of segments) {
        yield await Promise.resolve(segment === 'guard-lost' ? segment : new StoredIds(bytesOf(segment)))
      }
    },
  }
}

function bytesOf(ids: readonly (EventPlace & { id: StoredEvent['id'] })[]): Buffer {
  const bytes = Buffer.alloc(26 * ids.length)
  for (const [index, { id, version, offset }] of ids.entries()) {
    writeEventId(bytes, 26 * index, id)
    bytes.writeUInt32BE(version, 26 * index + 16)
    bytes.writeUIntBE(offset, 26 * index + 20, 6)
  }
  return bytes
}

const remembered = (version: number, offset: number) => ({
  id: newEventId(),
  version: version as Version,
  offset,
})

/** Evicts everything else from a small memory. */
const fill = (memory: TermMemory, offset: number) => {
  memory.append([{ ...event(other, 1, offset), value: Buffer.alloc(1_000) }], offset)
}

describe('the memory of a term', () => {
  test('has the ids and the streams of appended events', () => {
    const { memory } = memoryOf()
    const added = [event(stream, 4, 10), event(other, 1, 11), event(stream, 5, 12)]
    memory.append(added, 10)
    for (const { id, version, offset } of added) expect(memory.placesOf(id)).toEqual([{ version, offset }])
    expect(memory.placesOf(newEventId())).toEqual([])
    expect([memory.version(stream), memory.version(other)]).toEqual([5, 1])
    expect(memory.stream(stream)?.events()).toEqual([added[0], added[2]])
    expect(memory.ids).toBe(3)
  })

  test('loads the ids of all segments of the index, and adds those of its own events', async () => {
    const { memory } = memoryOf()
    const [one, two, three] = [remembered(1, 10), remembered(2 ** 32 - 1, 2 ** 40), remembered(7, 12)]
    const again = { ...one, offset: 99 }
    expect(await memory.load(indexOf([one, two], [], [three, again]), guard)).toBe('loaded')
    expect(memory.ids).toBe(4)
    expect(memory.placesOf(two.id)).toEqual([{ version: two.version, offset: two.offset }])
    expect(memory.placesOf(three.id)).toEqual([{ version: 7, offset: 12 }])
    memory.append([{ ...event(stream, 8, 100), id: one.id }], 100)
    expect(memory.placesOf(one.id).map(({ offset }) => offset)).toEqual([100, 99, 10])
  })

  test('is not loaded if the guard is lost meanwhile', async () => {
    const { memory } = memoryOf()
    expect(await memory.load(indexOf([remembered(1, 10)], 'guard-lost'), guard)).toBe('guard-lost')
  })

  test('returns its memory for ids when it is closed', () => {
    const { memory, ids } = memoryOf()
    for (let offset = 0; offset < 1_000; offset++) memory.append([event(stream, offset + 1, offset)], offset)
    memory.close()
    expect(ids.bytes).toBe(0)
  })

  test('does not answer for the streams of an earlier term', () => {
    const { memory, streams } = memoryOf()
    memory.append(events(stream, 10), 10)
    const { memory: next } = memoryOf(0, streams)
    expect(next.version(stream)).toBeUndefined()
    expect(next.stream(stream)).toBeUndefined()
  })
})

describe('a stream that was read from the log', () => {
  test('is kept for the next reader', () => {
    const { memory } = memoryOf()
    const read = events(stream, 10, 20, 30)
    memory.keep(stream, 3 as Version, read, 40)
    expect(memory.stream(stream)?.events()).toEqual(read)
  })

  test('is not kept if it was read before an append that was evicted', () => {
    const { memory } = memoryOf(2_000)
    const read = events(stream, 10, 11)
    memory.append([event(stream, 3, 20)], 20)
    fill(memory, 21)
    expect(memory.version(stream)).toBeUndefined()
    memory.keep(stream, 2 as Version, read, 20)
    expect(memory.version(stream)).toBeUndefined()
  })

  test('is kept if it was read after the append that was evicted', () => {
    const { memory } = memoryOf(2_000)
    memory.append([event(stream, 1, 20)], 20)
    fill(memory, 21)
    expect(memory.version(stream)).toBeUndefined()
    memory.keep(stream, 1 as Version, events(stream, 20), 21)
    expect(memory.version(stream)).toBe(1)
  })

  test('is not kept in place of later events in memory', () => {
    const { memory } = memoryOf()
    const read = events(stream, 10, 11)
    const appended = event(stream, 3, 20)
    memory.append([appended], 20)
    memory.keep(stream, 2 as Version, read.slice(0, 1), 20)
    expect(memory.version(stream)).toBe(3)
    memory.keep(stream, 3 as Version, read, 21)
    expect(memory.stream(stream)?.events()).toEqual([...read, appended])
  })

  test('does not take the place of later events in the memory of the next term', async () => {
    const streams = new RecentStreams(1 << 20)
    const [{ memory: former }, { memory }] = [memoryOf(0, streams), memoryOf(0, streams)]
    former.close()
    expect(await memory.load(indexOf(), guard)).toBe('loaded')
    const read = events(stream, 10, 20)
    memory.append([event(stream, 3, guard.nextOffset)], guard.nextOffset)
    former.keep(stream, 2 as Version, read, 30)
    // This read began before the append of version 3.
    memory.keep(stream, 2 as Version, read, guard.nextOffset)
    expect(memory.version(stream)).toBeOneOf([undefined, 3])
  })

  test('is not kept if the read began before this memory did: later events of the stream are not in it', async () => {
    const { memory } = memoryOf()
    expect(await memory.load(indexOf(), guard)).toBe('loaded')
    const read = events(stream, 10, 20)
    memory.keep(stream, 2 as Version, read, guard.nextOffset - 1)
    expect(memory.version(stream)).toBeUndefined()
    memory.keep(stream, 2 as Version, read, guard.nextOffset)
    expect(memory.version(stream)).toBe(2)
  })
})
