import { expect, test } from 'vitest'

import { newEventId, type StreamId, type Version } from '#domain'

import { catchUp, type CatchUpProgress } from './catch-up.ts'
import type { CommitOptions } from './commits.ts'
import { IndexMismatchError, IndexUnavailableError, LaterOwnerError } from './errors.ts'
import type { Guard, IndexEntry, LogPiece } from './index-entry.ts'

const entries = (from: number, to: number): IndexEntry[] =>
  Array.from({ length: to - from }, (_, index) => ({
    streamId: 'order.a' as StreamId,
    version: (from + index + 1) as Version,
    offset: from + index,
    eventId: newEventId(),
    timestampMs: 0,
  }))

/** A log with an event at every offset from 0, in pieces of ten. A read starts with the piece that holds the offset. */
const log = (end: number) =>
  async function* (fromOffset: number): AsyncGenerator<LogPiece> {
    for (let at = fromOffset - (fromOffset % 10); at < end; at += 10) {
      const nextOffset = Math.min(at + 10, end)
      yield await Promise.resolve({ entries: entries(at, nextOffset), nextOffset })
    }
  }

/** Behaves as the index does for catch-up; `trouble` may answer a commit instead. */
class FakeIndex {
  stored: Guard | undefined
  dropped = 0
  readonly applied: number[] = []
  rememberedIdsMax = 1_000
  /** Where the ids of each commit start. */
  readonly idsFrom: (number | undefined)[] = []
  inFlight = 0
  inFlightMax = 0
  trouble: (guard: Guard, entries: readonly IndexEntry[]) => 'guard-lost' | undefined = () => undefined

  guard = () => Promise.resolve(this.stored)

  /** Runs between the read of the guard and the action based on it. */
  meanwhile: () => void = () => undefined

  claim = (guard: Guard, seen?: Guard): Promise<'guard-lost' | Guard> => {
    this.meanwhile()
    const isAsSeen = this.stored?.epoch === seen?.epoch
    if (!isAsSeen || (this.stored?.nextOffset ?? 0) !== guard.nextOffset) return Promise.resolve('guard-lost')
    this.stored = guard
    return Promise.resolve(guard)
  }

  dropSeen = (seen: Guard | undefined): Promise<'guard-lost' | 'dropped'> => {
    this.meanwhile()
    if (this.stored?.epoch !== seen?.epoch) return Promise.resolve('guard-lost')
    this.stored = undefined
    this.dropped += 1
    this.applied.length = 0
    return Promise.resolve('dropped')
  }

  commit = async (
    guard: Guard,
    events: readonly IndexEntry[],
    nextOffset: number,
    { idsFrom }: CommitOptions = {},
  ) => {
    this.idsFrom.push(idsFrom)
    this.inFlight += 1
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight)
    try {
      await new Promise(setImmediate)
      const trouble = this.#troubleWith(guard, events)
      if (trouble !== undefined) return trouble
      if (this.stored?.nextOffset !== guard.nextOffset) return 'guard-lost'
      this.applied.push(...events.map(({ offset }) => offset))
      return (this.stored = { ...guard, nextOffset })
    } finally {
      this.inFlight -= 1
    }
  }

  /** When events do not follow, the index forgets its guard. */
  #troubleWith(guard: Guard, events: readonly IndexEntry[]): 'guard-lost' | undefined {
    try {
      return this.trouble(guard, events)
    } catch (error) {
      this.stored = undefined
      throw error
    }
  }
}

const range = (from: number, to: number): number[] => entries(from, to).map(({ offset }) => offset)
const term = { topicId: 'topic-1', producerId: 1n, epoch: 7 }
const owner = { ...term, isLastTerm: () => Promise.resolve(true), startOffset: 0, acceptedStart: 0 }

test('an empty index receives the whole log and the new owner', async () => {
  const index = new FakeIndex()
  const progress: CatchUpProgress[] = []
  const guard = await catchUp(index, {
    ...owner,
    endOffset: 4_321,
    read: log(4_321),
    onProgress: (at) => progress.push(at),
  })
  expect(guard).toEqual({ ...term, nextOffset: 4_321 })
  expect(index.applied).toEqual(range(0, 4_321))
  expect(progress.at(-1)).toEqual({
    fromOffset: 0,
    nextOffset: 4_321,
    endOffset: 4_321,
    events: 4_321,
    added: 321,
    rebuild: true,
  })
})

test.each([
  { remembered: 1_000, idsFrom: 3_321 },
  { remembered: 4_321, idsFrom: 0 },
  { remembered: 300_000, idsFrom: 0 },
])('of 4,321 offsets the ids of the last $remembered are remembered', async ({ remembered, idsFrom }) => {
  const index = new FakeIndex()
  index.rememberedIdsMax = remembered
  await catchUp(index, { ...owner, endOffset: 4_321, read: log(4_321) })
  expect(index.idsFrom).toEqual(Array.from({ length: 5 }, () => idsFrom))
})

test('only missing events are applied, although the reader returns whole pieces', async () => {
  const index = new FakeIndex()
  index.stored = { topicId: 'topic-1', producerId: 1n, epoch: 6, nextOffset: 25 }
  await catchUp(index, { ...owner, endOffset: 47, read: log(47) })
  expect(index.applied).toEqual(range(25, 47))
  expect(index.dropped).toBe(0)
})

test.each([
  { what: 'of another topic', stored: { topicId: 'topic-0', producerId: 1n, epoch: 6, nextOffset: 25 } },
  {
    what: 'past the end of the log',
    stored: { topicId: 'topic-1', producerId: 1n, epoch: 6, nextOffset: 48 },
  },
])('an index $what is dropped and rebuilt', async ({ stored }) => {
  const index = new FakeIndex()
  index.stored = stored
  await catchUp(index, { ...owner, endOffset: 47, read: log(47) })
  expect(index.dropped).toBe(1)
  expect(index.applied).toEqual(range(0, 47))
})

test('a new term takes over an index with a higher epoch: epochs restart with another producer id', async () => {
  const index = new FakeIndex()
  index.stored = { topicId: 'topic-1', producerId: 1n, epoch: 32_750, nextOffset: 25 }
  const guard = await catchUp(index, { ...owner, producerId: 2n, epoch: 0, endOffset: 47, read: log(47) })
  expect(guard).toEqual({ topicId: 'topic-1', producerId: 2n, epoch: 0, nextOffset: 47 })
  expect(index.applied).toEqual(range(25, 47))
})

test('the index of a later owner that has made progress is left alone', async () => {
  const index = new FakeIndex()
  index.stored = { topicId: 'topic-1', producerId: 1n, epoch: 8, nextOffset: 48 }
  const late = catchUp(index, { ...owner, endOffset: 47, read: log(47) })
  await expect(late).rejects.toThrow(LaterOwnerError)
  await expect(late).rejects.toThrow('the log of topic topic-1 has a later term than')
  expect(index.dropped).toBe(0)
})

test('the index of a later owner is left alone at any offset', async () => {
  const index = new FakeIndex()
  index.stored = { topicId: 'topic-1', producerId: 1n, epoch: 8, nextOffset: 40 }
  const late = catchUp(index, { ...owner, endOffset: 47, read: log(47) })
  await expect(late).rejects.toThrow('the log of topic topic-1 has a later term than')
  expect(index.stored).toEqual({ topicId: 'topic-1', producerId: 1n, epoch: 8, nextOffset: 40 })
})

test.each([
  { what: 'an empty index', stored: undefined, found: 'empty' },
  {
    what: 'an index of another producer id',
    stored: { topicId: 'topic-1', producerId: 9n, epoch: 0, nextOffset: 30 },
    found: 'at offset 30 under term 9/0',
  },
  {
    what: 'an index of another topic',
    stored: { topicId: 'topic-0', producerId: 1n, epoch: 8, nextOffset: 30 },
    found: 'of topic topic-0',
  },
])('$what is left alone when the log has a later term', async ({ stored, found }) => {
  const index = new FakeIndex()
  index.stored = stored
  const slept = { ...owner, isLastTerm: () => Promise.resolve(false) }
  const late = catchUp(index, { ...slept, endOffset: 47, read: log(47) })
  await expect(late).rejects.toThrow(LaterOwnerError)
  await expect(late).rejects.toThrow(new RegExp(`has a later term .*; the index is ${found}$`))
  expect([index.stored, index.dropped, index.applied]).toEqual([stored, 0, []])
})

test.each([
  { what: 'claimed', endOffset: 47 },
  { what: 'dropped', endOffset: 30 },
])('an index that gets a later owner just before it is $what is left alone', async ({ endOffset }) => {
  const index = new FakeIndex()
  index.stored = { topicId: 'topic-1', producerId: 1n, epoch: 6, nextOffset: 40 }
  const later = { topicId: 'topic-1', producerId: 1n, epoch: 8, nextOffset: 40 }
  index.meanwhile = () => (index.stored = later)
  const late = catchUp(index, { ...owner, endOffset, read: log(endOffset) })
  await expect(late).rejects.toThrow('the log of topic topic-1 has a later term than')
  expect([index.stored, index.dropped, index.applied]).toEqual([later, 0, []])
})

test('several commits are in flight at a time, up to a bound', async () => {
  const index = new FakeIndex()
  await catchUp(index, { ...owner, endOffset: 20_000, read: log(20_000) })
  expect(index.inFlightMax).toBe(4)
})

test('an index lost during catch-up is rebuilt from the start', async () => {
  const index = new FakeIndex()
  index.trouble = (guard) => {
    if (guard.nextOffset < 3_000 || index.dropped > 1) return undefined
    index.stored = undefined
    return 'guard-lost'
  }
  const guard = await catchUp(index, { ...owner, endOffset: 8_000, read: log(8_000) })
  expect(guard.nextOffset).toBe(8_000)
  expect(index.applied).toEqual(range(0, 8_000))
})

test.each([
  { what: 'Redis keeps losing', isLast: true, error: IndexUnavailableError },
  { what: 'a later owner keeps claiming', isLast: false, error: LaterOwnerError },
])('an index that $what is given up', async ({ isLast, error }) => {
  const index = new FakeIndex()
  index.stored = { topicId: 'topic-1', producerId: 1n, epoch: 6, nextOffset: 25 }
  index.trouble = () => 'guard-lost'
  const term = { ...owner, isLastTerm: () => Promise.resolve(isLast) }
  await expect(catchUp(index, { ...term, endOffset: 47, read: log(47) })).rejects.toThrow(error)
})

test('an index that does not match the log is rebuilt; an inconsistent log is reported', async () => {
  const index = new FakeIndex()
  index.stored = { topicId: 'topic-1', producerId: 1n, epoch: 6, nextOffset: 25 }
  index.trouble = (guard) => {
    if (guard.nextOffset !== 25) return undefined
    throw new IndexMismatchError('version 9 does not follow')
  }
  await catchUp(index, { ...owner, endOffset: 47, read: log(47) })
  expect(index.applied).toEqual(range(0, 47))

  index.trouble = () => {
    throw new IndexMismatchError('version 9 does not follow')
  }
  index.stored = undefined
  await expect(catchUp(index, { ...owner, endOffset: 47, read: log(47) })).rejects.toThrow(IndexMismatchError)
})

test('events that do not follow their predecessors are left out and reported', async () => {
  const index = new FakeIndex()
  const follows = new Set([0, 1, 4])
  index.trouble = (_, events) => {
    if (events.every(({ offset }) => follows.has(offset))) return undefined
    throw new IndexMismatchError('it does not follow')
  }
  const versions = [1, 2, 9, 2, 3]
  const read = async function* (): AsyncGenerator<LogPiece> {
    const all = entries(0, 5).map((entry, at) => ({ ...entry, version: versions[at] as Version }))
    yield await Promise.resolve({ entries: all, nextOffset: 5 })
  }
  const misfits: unknown[] = []
  await catchUp(index, {
    ...owner,
    endOffset: 5,
    read,
    onMisfit: ({ offset, version }, before) => misfits.push([offset, version, before]),
  })
  expect(index.applied).toEqual([0, 1, 4])
  expect(misfits).toEqual([
    [2, 9, 2],
    [3, 2, 2],
  ])
})

test('a reader that stops before the end of the log is an error', async () => {
  await expect(catchUp(new FakeIndex(), { ...owner, endOffset: 48, read: log(47) })).rejects.toThrow(
    'read only up to offset 47, but ends at 48',
  )
})
