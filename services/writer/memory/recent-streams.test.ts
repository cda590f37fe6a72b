import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { type EventMetadata, newEventId, type StreamId, streamIdOf, type Version } from '#domain'
import type { EncodedEvent, StoredEvent } from '#event-log/records'

import { MemoryBudget } from './memory-budget.ts'
import { RecentStreams, type Remembering } from './recent-streams.ts'
import { TermMemory } from './term-memory.ts'

const stream = streamIdOf('order', 'a')
const other = streamIdOf('order', 'b')
const timestampMs = Date.UTC(2026, 0, 31, 12)

const event = (
  streamId: StreamId,
  version: number,
  value = Buffer.from(`${streamId}@${version}`),
  metadata: EventMetadata = {},
): EncodedEvent => ({
  id: newEventId(),
  streamId,
  type: 'OrderPlaced',
  version: version as Version,
  timestamp: new Date(timestampMs).toISOString(),
  timestampMs,
  metadata,
  value,
})

const stored = (streamId: StreamId, version: number, offset: number, bytes = 10): StoredEvent => ({
  ...event(streamId, version, Buffer.alloc(bytes, version)),
  offset,
})

/** Versions `from` to `to`, at offsets of their own. */
const storedRange = (from: number, to: number, bytes?: number): StoredEvent[] =>
  Array.from({ length: to - from + 1 }, (_, index) => stored(stream, from + index, 2 * (from + index), bytes))

function remembering(): Remembering & { readonly offsets: number[] } {
  const offsets: number[] = []
  return { offsets, evicted: (offset) => offsets.push(offset) }
}

const versionsOf = (events: readonly StoredEvent[] | undefined) => events?.map(({ version }) => version)

describe('recent streams', () => {
  test('return an appended event with all its fields, and share no buffer with it', () => {
    const streams = new RecentStreams(1 << 20)
    const owner = remembering()
    const value = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const metadata = { correlationId: 'c-1', userId: 'ü€', tenant: 7, urgent: true }
    const one = event(stream, 1, Buffer.from(value), metadata)
    streams.append(owner, one, 2 ** 40)
    one.value.fill(0)
    const recent = streams.get(owner, stream)
    expect(recent).toMatchObject({ version: 1, firstVersion: 1 })
    expect(recent?.events()).toEqual([{ ...one, value, offset: 2 ** 40 }])
    expect(recent?.offsetOf(1)).toBe(2 ** 40)
    expect([recent?.offsetOf(0), recent?.offsetOf(2)]).toEqual([undefined, undefined])
  })

  test('return the wanted versions, as far as they are in memory', () => {
    const streams = new RecentStreams(1 << 20)
    const owner = remembering()
    for (let version = 4; version <= 9; version++) streams.append(owner, event(stream, version), version)
    const recent = streams.get(owner, stream)
    expect(recent).toMatchObject({ version: 9, firstVersion: 4 })
    expect(versionsOf(recent?.events(6, 7))).toEqual([6, 7])
    expect(versionsOf(recent?.events(1, 5))).toEqual([4, 5])
    expect(versionsOf(recent?.events(8, 20))).toEqual([8, 9])
    expect(versionsOf(recent?.events(1, 3))).toEqual([])
    expect(versionsOf(recent?.events(10, 12))).toEqual([])
  })

  test('that were returned before an append do not change', () => {
    const streams = new RecentStreams(1 << 20)
    const owner = remembering()
    streams.append(owner, event(stream, 1), 0)
    const before = streams.get(owner, stream)
    streams.append(owner, event(stream, 2), 1)
    expect(before?.version).toBe(1)
    expect(versionsOf(before?.events(1, 9))).toEqual([1])
    expect(before?.offsetOf(2)).toBeUndefined()
  })

  test('of another owner are unknown, and are replaced by those of the new owner', () => {
    const streams = new RecentStreams(1 << 20)
    const [former, owner] = [remembering(), remembering()]
    streams.append(former, event(stream, 1), 0)
    expect(streams.get(owner, stream)).toBeUndefined()
    expect(streams.version(owner, stream)).toBeUndefined()
    streams.append(owner, event(stream, 3), 5)
    expect(streams.get(owner, stream)).toMatchObject({ version: 3, firstVersion: 3 })
    expect(streams.get(former, stream)).toBeUndefined()
    expect([former.offsets, owner.offsets]).toEqual([[0], []])
  })

  test('are evicted in the order of their last use, and their owner learns the last offset', () => {
    const streams = new RecentStreams(3_000)
    const owner = remembering()
    streams.append(owner, event(stream, 1, Buffer.alloc(500)), 3)
    streams.append(owner, event(other, 1, Buffer.alloc(500)), 4)
    expect(streams.version(owner, stream)).toBe(1)
    streams.append(owner, event(streamIdOf('order', 'c'), 1, Buffer.alloc(500)), 5)
    expect(owner.offsets).toEqual([4])
    expect(streams.version(owner, other)).toBeUndefined()
    expect(streams.version(owner, stream)).toBe(1)
  })

  test('grow only within the budget, also when one stream grows', () => {
    const streams = new RecentStreams(50_000)
    const owner = remembering()
    streams.append(owner, event(other, 1, Buffer.alloc(4_000)), 0)
    for (let version = 1; version <= 40; version++) {
      streams.append(owner, event(stream, version, Buffer.alloc(2_000)), version)
      const inMemory = streams.get(owner, stream)?.events() ?? []
      expect(inMemory.reduce((sum, { value }) => sum + value.length, 0)).toBeLessThanOrEqual(50_000)
    }
    expect(owner.offsets[0]).toBe(0)
    expect(streams.bytes).toBeLessThanOrEqual(50_000)
  })

  test('do not keep a stream of more bytes than the budget, and its owner learns that', () => {
    const streams = new RecentStreams(5_000)
    const owner = remembering()
    streams.append(owner, event(stream, 1, Buffer.alloc(2_000)), 0)
    streams.append(owner, event(stream, 2, Buffer.alloc(4_000)), 1)
    expect(streams.get(owner, stream)).toBeUndefined()
    expect(owner.offsets.at(-1)).toBe(1)
    expect(streams.bytes).toBe(0)
  })

  test('keep the last events of a stream of more than one MiB', () => {
    const streams = new RecentStreams(64 << 20)
    const owner = remembering()
    for (let version = 1; version <= 300; version++) {
      streams.append(owner, event(stream, version, Buffer.alloc(20_000, version)), version)
      const recent = streams.get(owner, stream)
      const events = recent?.events() ?? []
      expect(recent?.version).toBe(version)
      expect(versionsOf(events)).toEqual(events.map((_, index) => version - events.length + 1 + index))
      expect(events.length).toBeGreaterThanOrEqual(Math.min(version, 24))
      expect(streams.bytes).toBeLessThanOrEqual(1 << 20)
    }
    streams.append(owner, event(stream, 301, Buffer.alloc(2 << 20)), 301)
    expect(streams.get(owner, stream)).toMatchObject({ version: 301, firstVersion: 302 })
    expect(streams.get(owner, stream)?.events()).toEqual([])
    streams.append(owner, event(stream, 302), 302)
    expect(versionsOf(streams.get(owner, stream)?.events())).toEqual([302])
  })
})

describe('events that were read from the log', () => {
  test('are added if they reach the stream’s version, or the events in memory', () => {
    const streams = new RecentStreams(1 << 20)
    const owner = remembering()
    const events = storedRange(1, 9)
    streams.prepend(owner, stream, 9 as Version, events.slice(6))
    expect(streams.get(owner, stream)).toMatchObject({ version: 9, firstVersion: 7 })
    streams.prepend(owner, stream, 9 as Version, events.slice(2, 6))
    expect(streams.get(owner, stream)?.events()).toEqual(events.slice(2))
    streams.append(owner, event(stream, 10), 50)
    streams.prepend(owner, stream, 10 as Version, events.slice(0, 2))
    expect(versionsOf(streams.get(owner, stream)?.events())).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  test.each([
    { what: 'end before the version of the stream', version: 9, read: [1, 8] },
    { what: 'are none', version: 9, read: [1, 0] },
  ])('are left out if they $what', ({ version, read: [from = 0, to = 0] }) => {
    const streams = new RecentStreams(1 << 20)
    const owner = remembering()
    streams.prepend(owner, stream, version as Version, storedRange(from, to))
    expect(streams.get(owner, stream)).toBeUndefined()
  })

  test.each([
    { what: 'leave a gap before', read: [1, 5] },
    { what: 'reach into', read: [1, 7] },
  ])('are left out if they $what those in memory', ({ read: [from = 0, to = 0] }) => {
    const streams = new RecentStreams(1 << 20)
    const owner = remembering()
    const events = storedRange(7, 9)
    streams.prepend(owner, stream, 9 as Version, events)
    streams.prepend(owner, stream, 9 as Version, storedRange(from, to))
    expect(streams.get(owner, stream)?.events()).toEqual(events)
  })

  test('are added from the last one on, as many as fit into one MiB', () => {
    const streams = new RecentStreams(64 << 20)
    const owner = remembering()
    const events = storedRange(1, 100, 20_000)
    streams.prepend(owner, stream, 100 as Version, events)
    const found = streams.get(owner, stream)?.events() ?? []
    expect(found).toEqual(events.slice(-found.length))
    expect(found.length).toBe(Math.floor((1 << 20) / 20_400))
  })

  test('are left out if the last one alone has more than one MiB, and the version stays', () => {
    const streams = new RecentStreams(64 << 20)
    const owner = remembering()
    const large = stored(stream, 1, 7, 2 << 20)
    streams.prepend(owner, stream, 1 as Version, [large])
    expect(streams.version(owner, stream)).toBeUndefined()
    streams.append(owner, large, 7)
    streams.prepend(owner, stream, 1 as Version, [large])
    expect(streams.version(owner, stream)).toBe(1)
  })
})

const streamIds = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => streamIdOf('order', id))
const streamIndex = fc.nat(streamIds.length - 1)
/** A read at the index that ends later, when its stream may be longer. */
interface OpenRead {
  readonly partition: Partition
  /** The memory when the read began. */
  readonly memory: TermMemory
  readonly streamId: StreamId
  readonly version: number
  readonly nextOffset: number
  readonly from: number
  readonly to: number
}

/** One partition: the events of its streams as the log has them, and the memory of its owner. */
class Partition {
  readonly events = new Map<StreamId, StoredEvent[]>()
  nextOffset = 0
  memory: TermMemory
  readonly #streams: RecentStreams

  constructor(streams: RecentStreams) {
    this.#streams = streams
    this.memory = this.#newMemory()
  }

  of(streamId: StreamId): StoredEvent[] {
    return this.events.get(streamId) ?? []
  }

  append(streamId: StreamId, sizes: readonly number[], isElsewhere = false): void {
    const own = this.of(streamId)
    const firstOffset = this.nextOffset
    const added = sizes.map((bytes, index) =>
      stored(streamId, own.length + 1 + index, firstOffset + index, bytes),
    )
    this.events.set(streamId, [...own, ...added])
    this.nextOffset += sizes.length
    if (!isElsewhere) this.memory.append(added, firstOffset)
  }

  /** A new term, or a catch-up: memory starts empty, at the end of the log. */
  async restart(): Promise<void> {
    this.memory.close()
    this.memory = this.#newMemory()
    const guard = { topicId: 'topic', producerId: 1n, epoch: 1, nextOffset: this.nextOffset }
    const none = async function* (): AsyncGenerator<never> {
      // The index remembers no ids.
    }
    expect(await this.memory.load({ rememberedIds: none }, guard)).toBe('loaded')
  }

  #newMemory(): TermMemory {
    return new TermMemory({ streams: this.#streams, ids: new MemoryBudget(0) }, 1)
  }

  expectSuffixes(): number {
    let bytes = 0
    for (const [streamId, events] of this.events) {
      const recent = this.memory.stream(streamId)
      expect(this.memory.version(streamId)).toBe(recent?.version)
      if (recent === undefined) continue
      expect(recent.version, `version of ${streamId}`).toBe(events.length)
      expect(recent.events()).toEqual(events.slice(recent.firstVersion - 1))
      expect(recent.offsetOf(events.length)).toBe(
        recent.firstVersion > events.length ? undefined : events.at(-1)?.offset,
      )
      bytes += recent.events().reduce((sum, { value }) => sum + value.length, 0)
    }
    return bytes
  }
}

const sizes = fc.array(fc.oneof(fc.nat(50), fc.nat(6_000)), { minLength: 1, maxLength: 4 })
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('append' as const), at: streamIndex, sizes }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      at: streamIndex,
      length: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 4 })),
      until: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('keep' as const), which: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('restart' as const),
      at: streamIndex,
      elsewhere: fc.option(sizes, { nil: undefined }),
    }),
  },
)

test('memory returns the last events of a stream up to its version, or nothing, and stays within its budget', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 600, max: 30_000 }),
      fc.array(step, { minLength: 1, maxLength: 60 }),
      async (bytesMax, steps) => {
        const streams = new RecentStreams(bytesMax)
        const partitions = [new Partition(streams), new Partition(streams)] as const
        const reads: OpenRead[] = []
        for (const todo of steps) {
          if (todo.do === 'keep') {
            finishRead(reads.splice(todo.which % (reads.length || 1), 1)[0])
          } else {
            const streamId = streamIds[todo.at] ?? stream
            const partition = partitions[todo.at % 2 === 0 ? 0 : 1]
            if (todo.do === 'append') partition.append(streamId, todo.sizes)
            else if (todo.do === 'read') startRead(reads, partition, streamId, todo)
            else {
              if (todo.elsewhere !== undefined) partition.append(streamId, todo.elsewhere, true)
              await partition.restart()
            }
          }
          const bytes = partitions.reduce((sum, partition) => sum + partition.expectSuffixes(), 0)
          expect(bytes).toBeLessThanOrEqual(bytesMax)
          expect(streams.bytes).toBeLessThanOrEqual(bytesMax)
        }
      },
    ),
    { numRuns: 300 },
  )
})

function startRead(
  reads: OpenRead[],
  partition: Partition,
  streamId: StreamId,
  { length, until }: { readonly length: number; readonly until: number },
): void {
  const version = partition.of(streamId).length
  const to = Math.max(0, version - until)
  const from = Math.max(1, to - length + 1)
  reads.push({
    partition,
    memory: partition.memory,
    streamId,
    version,
    nextOffset: partition.nextOffset,
    from,
    to,
  })
}

function finishRead(read: OpenRead | undefined): void {
  if (read === undefined) return
  const { partition, memory, streamId, version, nextOffset, from, to } = read
  const events = partition.of(streamId).slice(from - 1, to)
  memory.keep(streamId, version as Version, events, nextOffset)
}
