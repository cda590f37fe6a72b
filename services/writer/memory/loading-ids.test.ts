import { setImmediate as nextTurn } from 'node:timers/promises'

import fc from 'fast-check'
import { expect, test } from 'vitest'

import { type EventId, newEventId, type Version, writeEventId } from '#domain'
import { type EventPlace, StoredIds } from '#redis-index'

import { IdWindow } from './id-window.ts'
import { LoadingIds } from './loading-ids.ts'
import { MemoryBudget } from './memory-budget.ts'

interface Entry extends EventPlace {
  readonly id: EventId
}

/** Few different ids, so that each has several places. */
const ids = Array.from({ length: 300 }, newEventId)
const entry = (id: EventId, offset: number): Entry => ({ id, version: (1 + (offset % 7)) as Version, offset })

function segmentOf(entries: readonly Entry[]): StoredIds {
  const bytes = Buffer.alloc(26 * entries.length)
  for (const [index, { id, version, offset }] of entries.entries()) {
    writeEventId(bytes, 26 * index, id)
    bytes.writeUInt32BE(version, 26 * index + 16)
    bytes.writeUIntBE(offset, 26 * index + 20, 6)
  }
  return new StoredIds(bytes)
}

const placesIn = (entries: readonly Entry[], id: EventId): EventPlace[] =>
  entries
    .filter((each) => each.id === id)
    .map(({ version, offset }) => ({ version, offset }))
    .reverse()

/** The ids of a new owner: those of its window once everything has moved. */
function loadingOf(idsMax: number, budget: MemoryBudget) {
  const window = new IdWindow(idsMax, budget)
  let isMoved = false
  const loading = new LoadingIds(window, budget, () => (isMoved = true))
  return {
    window,
    loading,
    isMoved: () => isMoved,
    add: ({ id, version, offset }: Entry) => (isMoved ? window : loading).add(id, version, offset),
    places: (id: EventId) => (isMoved ? window.places(id) : loading.placesOf(id)),
  }
}

async function store(loading: LoadingIds, lengths: readonly number[], id: (offset: number) => EventId) {
  const entries: Entry[] = []
  for (const length of lengths) {
    const segment = Array.from({ length }, (_, index) => {
      const offset = entries.length + index
      return entry(id(offset), offset)
    })
    entries.push(...segment)
    await loading.store(segmentOf(segment))
  }
  loading.complete()
  return entries
}

/** What happens beside the move: a new event, a search for some ids, or a turn of the event loop. */
const step = fc.oneof(
  fc.record({ append: fc.nat({ max: ids.length - 1 }) }),
  fc.record({ seek: fc.array(fc.nat({ max: ids.length - 1 }), { maxLength: 20 }) }),
  fc.constant('turn' as const),
)

test('every id is found, the latest place first, at each moment of the move', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 1_300 }), { maxLength: 4 }),
      fc.array(step, { maxLength: 30 }),
      fc.constantFrom(Infinity, 40_000, 0),
      async (lengths, steps, budget) => {
        const { loading, add, places } = loadingOf(100_000, new MemoryBudget(budget))
        const all = await store(loading, lengths, (offset) => ids[(offset * 31) % ids.length] as EventId)
        for (const each of steps) {
          if (each === 'turn') await nextTurn()
          else if ('seek' in each) loading.seek(each.seek.map((index) => ids[index] as EventId))
          else {
            const added = entry(ids[each.append] as EventId, all.length)
            all.push(added)
            add(added)
          }
          // Without a budget the window keeps 1,024 entries.
          const known = budget === Infinity ? all : all.slice(-1_024)
          // The last one was searched for last: what was found then may be outdated.
          for (const id of [ids[4] as EventId, ...ids.slice(0, 5)]) {
            expect(places(id).slice(0, placesIn(known, id).length)).toEqual(placesIn(known, id))
          }
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('the window keeps the latest ids, those of new events among them', async () => {
  const { window, loading, add, isMoved } = loadingOf(1_000, new MemoryBudget(Infinity))
  const fresh = Array.from({ length: 3_100 }, newEventId)
  const all = await store(loading, [1_500, 1_500], (offset) => fresh[offset] as EventId)
  for (let offset = 3_000; offset < 3_100; offset++) {
    all.push(entry(fresh[offset] as EventId, offset))
    add(all.at(-1) as Entry)
  }
  expect(isMoved()).toBe(false)
  await expect.poll(isMoved).toBe(true)
  expect(window.size).toBe(1_000)
  for (const [offset, id] of fresh.entries())
    expect(window.places(id)).toEqual(offset < 2_100 ? [] : placesIn(all, id))
})

test('other work runs while ids move', async () => {
  const { loading, isMoved } = loadingOf(100_000, new MemoryBudget(Infinity))
  await store(loading, [4_096, 4_096, 4_096], newEventId)
  let turns = 0
  for (; !isMoved(); turns++) await nextTurn()
  expect(turns).toBeGreaterThanOrEqual(20)
})

test('the budget gets back what waiting segments take, after the move and when it is closed before', async () => {
  const budget = new MemoryBudget(Infinity)
  const { window, loading, isMoved } = loadingOf(100, budget)
  await store(loading, [4_000], newEventId)
  expect(budget.bytes).toBeGreaterThanOrEqual(26 * 4_000)
  await expect.poll(isMoved).toBe(true)
  window.close()
  expect(budget.bytes).toBe(0)
  const closed = loadingOf(100, budget)
  await store(closed.loading, [4_000, 4_000], newEventId)
  closed.loading.close()
  closed.window.close()
  expect(budget.bytes).toBe(0)
  await closed.loading.store(segmentOf([entry(newEventId(), 1)]))
  expect(budget.bytes).toBe(0)
})
