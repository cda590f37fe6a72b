import fc from 'fast-check'
import { expect, test } from 'vitest'

import { type Version } from '#domain'
import type { Guard, IndexEntry, PartitionIndex, RedisConnection } from '#redis-index'

import {
  claimed,
  entry,
  held,
  indexOf,
  keysOf,
  idsOf,
  openRedis,
  order,
  placesOf,
  rememberedIdsOf,
} from '../../support/index/redis-index.ts'
import { testStack } from '../../support/stack/stack.ts'

const streams = ['a', 'b', 'c/1', 'ä{x}']

/** The expected content of the index: all events of all streams, and the newest snapshot of each. */
class Model {
  readonly events = new Map<string, IndexEntry[]>(streams.map((id) => [id, []]))
  readonly snapshots = new Map<string, { version: number; state: Buffer }>()
  /** All events, in the order of their commits. */
  readonly log: IndexEntry[] = []
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
        this.log.push(event)
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
    do: fc.constant('lose-guard' as const),
    which: fc.constantFrom('topicId' as const, 'epoch' as const, 'nextOffset' as const),
  }),
)

const wrong = { topicId: { topicId: 'topic-0' }, epoch: { epoch: 9 }, nextOffset: { nextOffset: 2 ** 47 } }

/** The offsets of a segment of remembered ids. */
const segmentOffsets = 4_096
const idsMaxes = fc.constantFrom(1, 5_000, 10_000)

/** The events whose ids are in the segments of the window. */
function remembered({ log, nextOffset }: Model, idsMax: number): IndexEntry[] {
  const from = Math.max(0, nextOffset - idsMax)
  return log.filter(({ offset }) => offset >= from - (from % segmentOffsets))
}

const segmentsWith = (events: readonly IndexEntry[]): number[] =>
  [...new Set(events.map(({ offset }) => Math.floor(offset / segmentOffsets)))].sort(
    (one, other) => one - other,
  )

/** The numbers of the stored segments. */
const segmentsOf = async (redis: RedisConnection): Promise<number[]> =>
  (await keysOf(redis))
    .flatMap((key) => /}segment:(\d+)$/.exec(key)?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other)

test('the index answers like a plain model of the log, whatever was appended, evicted or refused', async () => {
  const redis = await openRedis(testStack().redisUrl)
  await fc.assert(
    fc.asyncProperty(idsMaxes, fc.array(step, { minLength: 1, maxLength: 12 }), async (idsMax, steps) => {
      const model = new Model()
      // The data of a failed run would make all shrunk runs fail, and hide the failure.
      await indexOf(redis).drop()
      const run = await claimed(redis, { rememberedIdsMax: idsMax })
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
      expect(await rememberedIdsOf(index, guard)).toEqual(idsOf(remembered(model, idsMax)))
      expect(await segmentsOf(redis)).toEqual(segmentsWith(remembered(model, idsMax)))
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
    expect(await index.stream(lost, order('a'))).toBe('guard-lost')
    expect((await Array.fromAsync(index.rememberedIds(lost))).at(-1)).toBe('guard-lost')
    return
  }
  const events = model.of(todo.id)
  if (todo.do === 'evict') {
    await redis.call('UNLINK', [`{${redis.keyPrefix}:eventstore.order:3}s:${todo.id}`])
    model.snapshots.delete(todo.id)
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
  // The places of all streams, so that those of other streams are asked, too, and places that no event has.
  const all = placesOf(model.log)
  const none = all
    .map(({ version, offset }) => ({ version, offset: offset + 1 }))
    .filter(({ offset }) => offset % 7 === 0)
  const asks = streams.map((id) => ({ streamId: order(id), places: [...all, ...none.slice(0, 50)] }))
  const checked = held(await index.check(guard, asks))
  for (const [at, id] of streams.entries()) {
    const events = model.of(id)
    const own = new Set(placesOf(events).map(({ version, offset }) => `${version}@${offset}`))
    expect(checked[at]).toEqual({
      version: events.length,
      places: asks[at]?.places.filter(({ version, offset }) => own.has(`${version}@${offset}`)),
    })
    await expectSameStream(index, guard, id, model)
  }
}

/** The most places of one read. */
const placesMax = 1_000

async function expectSameStream(
  index: PartitionIndex,
  guard: Guard,
  id: string,
  model: Model,
): Promise<void> {
  const events = model.of(id)
  const version = events.length
  const all = placesOf(events)
  const snapshot = model.snapshots.get(id)
  const read = async (query: Parameters<PartitionIndex['stream']>[2]) =>
    held(await index.stream(guard, order(id), query))
  expect(await read({})).toEqual({ version, places: all.slice(0, placesMax) })
  expect(await read({ from: 120, to: 140 })).toEqual({ version, places: all.slice(119, 140) })
  expect(await read({ from: version + 1 })).toEqual({ version, places: [] })
  expect(await read({ stateVersion: 1 })).toEqual({ version, places: all.slice(0, placesMax) })
  const from = snapshot?.version ?? 0
  expect(await read({ stateVersion: 2 })).toEqual({
    version,
    places: all.slice(from, from + placesMax),
    ...(snapshot !== undefined && {
      snapshot: { stateVersion: 2, state: snapshot.state, timestampMs: from, version: from },
    }),
  })

  expect(await index.info(guard, order(id))).toEqual(
    version === 0
      ? undefined
      : {
          version,
          firstTimestampMs: events[0]?.timestampMs,
          lastTimestampMs: events.at(-1)?.timestampMs,
          ...(snapshot !== undefined && { snapshotVersion: snapshot.version }),
        },
  )
}
