import { describe, expect, test } from 'vitest'

import { aroundStore } from '../testing/around-store.ts'
import { InMemoryFeed } from '../testing/in-memory-feed.ts'
import { balances, ledger, totals } from '../testing/ledger.ts'
import { afterPolls, ProjectionBench } from '../testing/projection-bench.ts'
import { eventually, servingState } from '../testing/projector-instance.ts'

/** Its views differ from those of version 1. */
const second = balances({
  viewVersion: 2,
  on: {
    Entered: (view, { data }) => ({ ...view, events: view.events + 1, balance: view.balance - data.amount }),
  },
})

test('the first generation serves at once, and two instances add only one', async () => {
  const bench = new ProjectionBench()
  bench.append(20)
  await Promise.all([bench.start(balances()), bench.start(balances())])
  await bench.expectServed(balances())
  expect(await bench.statuses(balances())).toEqual(['v1 serving'])
})

describe('a raised view version', () => {
  test('is built beside the serving one, which readers get until the switch', async () => {
    const bench = new ProjectionBench()
    // Enough events that the new generation is far behind: the serving one is not held yet.
    bench.feed = new InMemoryFeed({ chunkEventsMax: 1_000 })
    bench.append(5_100)
    const old = await bench.start(balances())
    await bench.expectServed(balances())
    const released = Promise.withResolvers<undefined>()
    const store = aroundStore(bench.store, async (method, proceed) => {
      if (method === 'views.commit') await released.promise
      return proceed()
    })
    const fresh = await bench.start(second, { store })
    await eventually(async () => expect(await bench.statuses(second)).toEqual(['v1 serving', 'v2 building']))
    bench.append(10)
    await bench.expectServed(balances())
    released.resolve(undefined)
    await bench.expectServed(second)
    expect(await bench.statuses(second)).toEqual(['v1 retired', 'v2 serving'])
    await afterPolls()
    expect([...fresh.switches, ...old.switches]).toHaveLength(1)
    bench.append(10)
    await bench.expectServed(second)
    expect(fresh.problems).toEqual([])
  })

  test('is started once, however many instances see the need', async () => {
    const bench = new ProjectionBench()
    bench.append(10)
    await (await bench.start(balances())).stop()
    const store = aroundStore(bench.store, async (method, proceed) => {
      const answer = await proceed()
      if (method === 'generations.list') await afterPolls(1)
      return answer
    })
    await Promise.all([1, 2, 3].map(() => bench.start(second, { store })))
    await bench.expectServed(second)
    expect(await bench.statuses(second)).toEqual(['v1 retired', 'v2 serving'])
  })

  test('is left alone by instances with a lower one, which report it once', async () => {
    const bench = new ProjectionBench()
    bench.append(10)
    const fresh = await bench.start(second)
    await bench.expectServed(second)
    const old = await bench.start(balances())
    await eventually(() => expect(old.problems).toHaveLength(1))
    await afterPolls()
    expect(old.problems).toEqual([expect.stringContaining('view version 1 of it, but version 2 is in use')])
    expect(old.steps).toEqual([])
    expect(await bench.statuses(second)).toEqual(['v2 serving'])
    await fresh.stop()
    const ofOtherTopics = await bench.start(balances(), { topicIds: { [ledger(0).topic]: 'another' } })
    await eventually(() => expect(ofOtherTopics.problems).toHaveLength(1))
    expect(await bench.statuses(second)).toEqual(['v2 serving'])
  })

  test('that is no longer built delays nothing', async () => {
    const bench = new ProjectionBench()
    bench.append(10)
    const asked: string[] = []
    const noted = aroundStore(bench.store, (method, proceed) => (asked.push(method), proceed()))
    await bench.start(balances(), { store: noted })
    await bench.expectServed(balances())
    await bench.store.generations.add(second, {
      id: 'zz',
      viewVersion: 2,
      indexNames: second.indexNames,
      createdAtMs: Date.now(),
      topicIds: (await servingState(bench.store, second)).topicIds,
      range: {},
    })
    await afterPolls()
    expect(asked).not.toContain('generations.switchTo')
    bench.append(10)
    await bench.expectServed(balances())
  })
})

test('changed indexes without a new view version are reported, and nothing is rebuilt', async () => {
  const bench = new ProjectionBench()
  bench.append(10)
  await (await bench.start(balances())).stop()
  const changed = balances({ indexes: { balance: ({ balance }) => balance, events: ({ events }) => events } })
  const instance = await bench.start(changed)
  await eventually(() => expect(instance.problems).toHaveLength(1))
  await afterPolls()
  expect(instance.problems).toEqual([expect.stringContaining('raise viewVersion')])
  expect(instance.steps).toEqual([])
})

describe('a recreated topic', () => {
  const topicIds = { [ledger(0).topic]: 'a new one' }

  test('leads to a rebuild from its own events only', async () => {
    const bench = new ProjectionBench()
    bench.append(40)
    const old = await bench.start(balances())
    await bench.expectServed(balances())
    await old.stop()
    bench.feed = new InMemoryFeed()
    bench.append(60)
    const instance = await bench.start(balances(), { topicIds })
    await bench.expectServed(balances())
    expect(await bench.statuses(balances())).toEqual(['v1 retired', 'v1 serving'])
    expect(instance.refusals).toEqual([])
    expect(instance.problems).toEqual([])
  })

  test('is reported, not rebuilt, by an instance that still has the old topic id', async () => {
    const bench = new ProjectionBench()
    bench.append(20)
    const stale = await bench.start(balances())
    await bench.expectServed(balances())
    await new Promise((resolve) => setTimeout(resolve, 2))
    await bench.start(balances(), { topicIds })
    await eventually(() => expect(stale.problems).toHaveLength(1))
    await afterPolls()
    expect(stale.problems).toEqual([expect.stringContaining('topics were recreated')])
    expect(await bench.statuses(balances())).toEqual(['v1 retired', 'v1 serving'])
    await bench.expectServed(balances())
  })
})

describe('a rebuild under constant appends', () => {
  test.each([balances(), totals()])(
    'misses nothing, doubles nothing and finishes: $name',
    async (projection) => {
      const bench = new ProjectionBench()
      bench.append(2_000)
      let isAppending = false
      // Events are appended as fast as they are applied, so the end of the log is never reached meanwhile.
      const store = aroundStore(bench.store, async (method, proceed) => {
        const answer = await proceed()
        if (isAppending && method === 'views.commit' && answer === 'committed') bench.append(20)
        return answer
      })
      const instance = await bench.start(projection, { store, settings: { batchEventsMax: 20 } })
      await bench.expectServed(projection)
      isAppending = true
      bench.append(1)
      const seen = new Map<string, number>()
      const generation = await instance.runner.rebuild()
      await eventually(async () => {
        const state = await servingState(bench.store, projection)
        for (const [source, checkpoint] of state.checkpoints) {
          expect(checkpoint).toBeGreaterThanOrEqual(seen.get(source) ?? 0)
          seen.set(source, checkpoint)
        }
        expect(state.id).toBe(generation)
      })
      isAppending = false
      await bench.expectServed(projection)
      expect(instance.switches).toEqual([generation])
    },
  )

  test('does not hold the serving generation when a poison event has stopped the new one', async () => {
    const bench = new ProjectionBench()
    bench.append(20)
    await bench.start(balances())
    await bench.expectServed(balances())
    const picky = balances({
      viewVersion: 2,
      on: {
        Entered: (view, { position }) => {
          if (position.offset === 5) throw new Error('not this one')
          return view
        },
      },
    })
    const asked: string[] = []
    const store = aroundStore(bench.store, (method, proceed) => (asked.push(method), proceed()))
    const building = await bench.start(picky, { store })
    await eventually(() => expect(building.stops).toHaveLength(3))
    await afterPolls(2)
    // The serving generation may have been held while the first try ran. From here on there are no more tries.
    asked.length = 0
    await afterPolls()
    expect(asked).not.toContain('generations.switchTo')
    expect(await bench.statuses(picky)).toEqual(['v1 serving', 'v2 building'])
    bench.append(10)
    await bench.expectServed(balances())
  })
})
