import { describe, expect, onTestFinished, test } from 'vitest'

import { formatPartition, project, type Projection, type TopicPartition } from '#domain'

import { InMemoryViewStore } from '../in-memory/in-memory-view-store.ts'
import { aroundStore } from '../testing/around-store.ts'
import { InMemoryFeed, type InMemoryFeedOptions } from '../testing/in-memory-feed.ts'
import { balances, closed, entered, ledger, ledgers, totals } from '../testing/ledger.ts'
import { ProjectionBench } from '../testing/projection-bench.ts'
import {
  allViews,
  eventually,
  type InstanceOptions,
  ProjectorInstance,
  servingState,
} from '../testing/projector-instance.ts'

/** One instance that builds a projection from partitions. */
async function started(
  options: Partial<InstanceOptions> & {
    readonly projection: Projection
    readonly chunk?: InMemoryFeedOptions
  },
) {
  const sources = options.sources ?? ledgers(3)
  const feed = new InMemoryFeed(options.chunk)
  const store = new InMemoryViewStore()
  const instance = await ProjectorInstance.start({ feed, store, sources, ...options })
  onTestFinished(() => instance.stop())
  const applied = (sourcesAsked: readonly TopicPartition[] = sources) =>
    eventually(async () => {
      const { checkpoints } = await servingState(store, options.projection)
      for (const source of sourcesAsked)
        expect(checkpoints.get(formatPartition(source))).toBe(await feed.endOffset(source))
    })
  const views = () => allViews(store, options.projection)
  return { feed, store, instance, applied, views }
}

const projected = (projection: Projection, feed: InMemoryFeed) =>
  Object.fromEntries(project(projection, new Map(), feed.events))

describe.each([
  ['smaller than chunks of the log', { settings: { batchEventsMax: 3 }, chunk: { chunkEventsMax: 10 } }],
  ['larger than chunks of the log', { settings: { batchEventsMax: 1_000 }, chunk: { chunkEventsMax: 4 } }],
  ['as large as chunks of the log', { settings: { batchEventsMax: 5 }, chunk: { chunkEventsMax: 5 } }],
])('with batches %s', (_, sizes) => {
  test.each([balances(), totals()])('each event counts once: $name', async (projection) => {
    const { feed, applied, views, instance } = await started({ ...sizes, projection })
    for (let n = 0; n < 120; n++) {
      const partition = n % 3
      feed.append(ledger(partition), entered(`${partition}-${n % 7}`, n, `g${n % 4}`))
      if (n % 5 === 0) feed.appendMarkers(ledger(partition))
      if (n % 40 === 0) await applied()
    }
    await applied()
    expect(await views()).toEqual(projected(projection, feed))
    expect(instance.steps.reduce((sum, { events }) => sum + events, 0)).toBe(120)
    expect(instance.problems).toEqual([])
  })
})

test('a batch respects its event limit and changes each view once', async () => {
  const projection = balances()
  const { feed, applied, instance } = await started({ projection, settings: { batchEventsMax: 4 } })
  feed.append(ledger(0), ...Array.from({ length: 10 }, (_, n) => entered('a', n)))
  await applied()
  const steps = instance.steps.filter(({ events }) => events > 0)
  expect(steps.map(({ events }) => events)).toEqual([4, 4, 2])
  expect(steps.map(({ changes }) => changes)).toEqual([1, 1, 1])
  expect(steps.map(({ checkpoint }) => checkpoint)).toEqual([4, 8, 10])
})

test('the checkpoint moves past trailing markers, also in a partition that holds only markers', async () => {
  const { feed, applied, views } = await started({ projection: balances() })
  feed.append(ledger(0), entered('a', 5))
  feed.appendMarkers(ledger(0), 3)
  feed.appendMarkers(ledger(1), 2)
  await applied()
  expect(await views()).toMatchObject({ a: { events: 1 } })
})

test('a log whose head was deleted is read from its start offset', async () => {
  const { feed, applied, views, store } = await started({ projection: balances(), assigned: [] })
  feed.append(ledger(0), entered('a', 1), entered('a', 2), entered('a', 4))
  feed.dropBefore(ledger(0), 2)
  const instance = await ProjectorInstance.start({ projection: balances(), feed, store, sources: ledgers(1) })
  onTestFinished(() => instance.stop())
  await applied(ledgers(1))
  expect(await views()).toMatchObject({ a: { events: 1, balance: 4 } })
})

test('a deleted view restarts with the next event, in the same batch or a later one', async () => {
  const { feed, applied, views } = await started({ projection: balances() })
  feed.append(ledger(0), entered('a', 1), closed('a'), entered('a', 2), entered('b', 1), closed('b'))
  await applied()
  expect(await views()).toEqual({ a: expect.objectContaining({ events: 1, balance: 2 }) as unknown })
  feed.append(ledger(0), closed('a'))
  await applied()
  expect(await views()).toEqual({})
  feed.append(ledger(0), entered('a', 3))
  await applied()
  expect(await views()).toMatchObject({ a: { events: 1, balance: 3 } })
})

test('events of unknown types, of other aggregates and without a view are skipped and counted', async () => {
  const projection = totals()
  const { feed, applied, views, instance } = await started({ projection })
  const renamed = { streamId: 'account.a', type: 'Renamed', data: {} }
  const foreign = { streamId: 'order.a', type: 'Entered', data: { amount: 1, group: 'g' } }
  const ofNoView = { streamId: 'account.a', type: 'Entered', data: { amount: 1 } }
  feed.append(ledger(0), renamed, entered('a', 1, 'g'), foreign, ofNoView, entered('a', 1, 'g'))
  await applied()
  expect(await views()).toEqual({ g: { events: 2, sum: 2 } })
  const sum = (of: 'events' | 'skipped') => instance.steps.reduce((all, step) => all + step[of], 0)
  expect([sum('events'), sum('skipped')]).toEqual([5, 3])
})

test('a fallback reducer handles the types that have no reducer', async () => {
  const projection = balances({ onUnknown: (view) => ({ ...view, balance: -1 }) })
  const { feed, applied, views } = await started({ projection })
  feed.append(ledger(0), { streamId: 'account.a', type: 'Renamed', data: {} })
  await applied()
  expect(await views()).toMatchObject({ a: { balance: -1 } })
})

test('partitions of one process do not collide over views across streams', async () => {
  const bench = new ProjectionBench()
  const store = aroundStore(bench.store, async (_, proceed) => {
    await new Promise(setImmediate)
    return proceed()
  })
  const instance = await bench.start(totals(), { store })
  bench.append(300)
  await bench.expectServed(totals())
  expect(instance.refusals).toEqual([])
})
