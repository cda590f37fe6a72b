import fc from 'fast-check'
import { expect, test } from 'vitest'

import { newEventId, type Version } from '#domain'
import type { Guard, IndexEntry, PartitionIndex, RedisConnection } from '#redis-index'

import {
  claimed,
  entry,
  held,
  indexOf,
  keysOf,
  openRedis,
  order,
  payloadsOf,
} from '../../support/index/redis-index.ts'
import { testStack } from '../../support/stack/stack.ts'

const streams = ['a', 'b', 'c/1', 'ä{x}']

/** The expected content of the index: all events of all streams, and the newest snapshot of each. */
class Model {
  readonly events = new Map<string, IndexEntry[]>(streams.map((id) => [id, []]))
  readonly snapshots = new Map<string, { version: number; state: Buffer }>()
  saves = 0
  nextOffset = 0

  of(id: string): IndexEntry[] {
    return this.events.get(id) ?? []
  }

  /** The next events of these streams, with gaps in their offsets like those of markers. */
  next(appends: readonly (readonly [id: string, count: number, gap: number])[]): IndexEntry[] {
    return appends.flatMap(([id, count, gap]) => {
      this.nextOffset += gap
      return Array.from({ length: count }, () => {
        const event = entry(id, this.of(id).length + 1, this.nextOffset, {
          timestampMs: 1_000 + this.nextOffset,
        })
        this.of(id).push(event)
        this.nextOffset += 1
        return event
      })
    })
  }
}

type Step =
  | { readonly do: 'append'; readonly appends: [string, number, number][] }
  | { readonly do: 'snapshot'; readonly id: string; readonly back: number }
  | { readonly do: 'evict'; readonly id: string }
  | { readonly do: 'cache'; readonly id: string; readonly from: number; readonly count: number }
  | { readonly do: 'lose-guard'; readonly which: 'topicId' | 'epoch' | 'nextOffset' }

// Most steps use the first stream, so that they interact.
const streamId = fc.oneof(
  { weight: 2, arbitrary: fc.constant('a') },
  { weight: 1, arbitrary: fc.constantFrom(...streams) },
)
const gap = fc.oneof({ weight: 9, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(2 ** 40) })
const count = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }) },
  fc.integer({ min: 1, max: 300 }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      appends: fc.array(fc.tuple(streamId, count, gap), { maxLength: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('snapshot' as const),
      id: streamId,
      back: fc.oneof(fc.constant(0), fc.nat(20)),
    }),
  },
  fc.record({ do: fc.constant('evict' as const), id: streamId }),
  fc.record({
    do: fc.constant('cache' as const),
    id: streamId,
    from: fc.integer({ min: 1, max: 40 }),
    count: fc.integer({ min: 1, max: 300 }),
  }),
  fc.record({
    do: fc.constant('lose-guard' as const),
    which: fc.constantFrom('topicId' as const, 'epoch' as const, 'nextOffset' as const),
  }),
)

const wrong = { topicId: { topicId: 'topic-0' }, epoch: { epoch: 9 }, nextOffset: { nextOffset: 2 ** 47 } }

test('the index answers like a plain model of the log, whatever was appended, evicted or refused', async () => {
  const redis = await openRedis(testStack().redisUrl)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const model = new Model()
      // The data of a failed run would make all shrunk runs fail, and hide the failure.
      await indexOf(redis).drop()
      const run = await claimed(redis, { tailEventsMax: 7 })
      const { index } = run
      let { guard } = run
      for (const todo of steps) {
        if (todo.do === 'append') {
          const events = model.next(todo.appends)
          guard = held(await index.commit(guard, events, model.nextOffset))
        } else {
          await applyStep(redis, index, guard, model, todo)
        }
      }
      expect(await index.guard()).toEqual(guard)
      await expectSame(index, guard, model)
      await index.drop()
      expect(await keysOf(redis)).toEqual([])
    }),
    { numRuns: 100 },
  )
})

async function applyStep(
  redis: RedisConnection,
  index: PartitionIndex,
  guard: Guard,
  model: Model,
  todo: Exclude<Step, { do: 'append' }>,
): Promise<void> {
  if (todo.do === 'lose-guard') {
    const lost = { ...guard, ...wrong[todo.which] }
    const next = entry('a', model.of('a').length + 1, lost.nextOffset)
    expect(await index.commit(lost, [next], lost.nextOffset + 1)).toBe('guard-lost')
    expect(await index.check(lost, [])).toBe('guard-lost')
    expect(await index.load(lost, order('a'))).toBe('guard-lost')
    return
  }
  const events = model.of(todo.id)
  if (todo.do === 'evict') {
    await redis.call('UNLINK', [`{${redis.keyPrefix}:eventstore.order:3}t:${todo.id}`])
  } else if (todo.do === 'cache') {
    const read = events.slice(todo.from - 1, todo.from - 1 + todo.count)
    if (read.length > 0) await index.cacheStream(guard, order(todo.id), todo.from, payloadsOf(read))
  } else {
    const version = Math.max(1, events.length - todo.back)
    // A later snapshot of the same version replaces the earlier one, so a rebuild can correct it.
    const kept = version <= events.length && version >= (model.snapshots.get(todo.id)?.version ?? 0)
    const state = Buffer.from(`state ${version}, save ${++model.saves}`)
    const snapshot = { stateVersion: 2, state, timestampMs: version, version: version as Version }
    expect(await index.saveSnapshot(order(todo.id), snapshot)).toBe(kept)
    if (kept) model.snapshots.set(todo.id, { version, state })
  }
}

async function expectSame(index: PartitionIndex, guard: Guard, model: Model): Promise<void> {
  const asked = streams.map((id) => ({
    streamId: order(id),
    // The ids of all streams, so that ids of other streams are queried too, and an unknown id.
    eventIds: [...[...model.events.values()].flat().map(({ eventId }) => eventId), newEventId()],
  }))
  const { versions, known } = held(await index.check(guard, asked))
  expect(versions).toEqual(streams.map((id) => model.of(id).length))
  for (const [at, id] of streams.entries()) {
    const events = model.of(id)
    expect(known[at]).toEqual(
      new Map(events.map(({ eventId, version, offset }) => [eventId, { version, offset }])),
    )
    await expectSameStream(index, guard, id, model)
  }
}

async function expectSameStream(
  index: PartitionIndex,
  guard: Guard,
  id: string,
  model: Model,
): Promise<void> {
  const events = model.of(id)
  const last = events.length
  const all = held(await index.events(guard, order(id), 1, last)).placesOf(1, last)
  expect(all).toEqual(events.map(({ version, offset }) => ({ version, offset })))
  const middle = held(await index.events(guard, order(id), 120, 140))
  const lastMissing = 120 + middle.recent.lastIndexOf(undefined)
  expect(middle.placesOf(120, lastMissing)).toEqual(all.slice(119, lastMissing))

  const snapshot = model.snapshots.get(id)
  for (const from of [snapshot?.version ?? 0, 0]) {
    const loaded = held(await index.load(guard, order(id), from > 0 ? { stateVersion: 2 } : {}))
    expect(loaded.version).toBe(last)
    expect(loaded.snapshot?.version).toBe(from > 0 ? from : undefined)
    expect(loaded.snapshot?.state).toEqual(from > 0 ? snapshot?.state : undefined)
    expect(loaded.tail).toEqual(payloadsOf(events.slice(loaded.firstTailVersion - 1)))
    const { events: indexed, ...missing } = loaded.missing ?? {}
    const isWhole = loaded.firstTailVersion <= from + 1
    expect(missing).toEqual(isWhole ? {} : { from: from + 1, to: loaded.firstTailVersion - 1 })
    const lacking = all.slice(from, loaded.firstTailVersion - 1).slice(0, 1_000)
    expect(indexed?.placesOf(from + 1, from + lacking.length)).toEqual(isWhole ? undefined : lacking)
  }

  const recent = held(await index.events(guard, order(id), 1, last)).recent
  expect(recent).toHaveLength(last)
  recent.forEach((payload, at) => payload && expect(payload).toEqual(events[at]?.payload))

  expect(await index.info(guard, order(id))).toEqual(
    last === 0
      ? undefined
      : {
          version: last,
          firstTimestampMs: events[0]?.timestampMs,
          lastTimestampMs: events.at(-1)?.timestampMs,
          ...(snapshot !== undefined && { snapshotVersion: snapshot.version }),
        },
  )
}
