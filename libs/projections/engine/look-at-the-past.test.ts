import { describe, expect, test } from 'vitest'

import { formatPartition } from '#domain'
import { CountingFeed } from '../testing/counting-feed.ts'
import { balances, entered, ledger } from '../testing/ledger.ts'
import { afterPolls, ProjectionBench } from '../testing/projection-bench.ts'
import { allViews, eventually } from '../testing/projector-instance.ts'

describe('a look at the past', () => {
  const at = (second: number) => `2026-03-01T00:00:${String(second).padStart(2, '0')}.000Z`
  const timed = (account: string, second: number) => ({ ...entered(account, 1), timestamp: at(second) })

  async function past() {
    const bench = new ProjectionBench()
    // Times are not quite in order within a partition.
    bench.feed.append(ledger(0), timed('a', 1), timed('a', 5), timed('a', 3), timed('a', 9))
    bench.feed.append(ledger(1), timed('b', 2), timed('b', 4), timed('b', 6))
    const instance = await bench.start(balances())
    await bench.expectServed(balances())
    const counted = async (generation: string) => {
      const views = (await allViews(bench.store, balances(), generation)) as Record<
        string,
        { events: number }
      >
      return Object.fromEntries(Object.entries(views).map(([key, { events }]) => [key, events]))
    }
    const done = async (generation: string, ends: readonly number[]) =>
      eventually(async () => {
        const state = (await bench.store.generations.list(balances())).find(({ id }) => id === generation)
        expect(state?.status).toBe('kept')
        expect(new Map(state?.checkpoints)).toEqual(
          new Map(ends.map((end, partition) => [formatPartition(ledger(partition)), end])),
        )
      })
    return { bench, instance, counted, done }
  }

  test('until a time includes only the events before it', async () => {
    const { bench, instance, counted, done } = await past()
    const generation = await instance.runner.rebuild({ beforeMs: Date.parse(at(4)) })
    await done(generation, [4, 3, 0])
    expect(await counted(generation)).toEqual({ a: 2, b: 1 })
    bench.feed.append(ledger(0), timed('a', 0))
    await bench.expectServed(balances())
    await afterPolls()
    await done(generation, [4, 3, 0])
    expect(await counted(generation)).toEqual({ a: 2, b: 1 })
    expect(instance.switches).toEqual([])
  })

  test('until a position includes all events before it in its partition, and by time in the others', async () => {
    const { instance, counted, done } = await past()
    const exact = { source: formatPartition(ledger(0)), end: 3 }
    const generation = await instance.runner.rebuild({ beforeMs: Date.parse(at(3)) + 1, exact })
    await done(generation, [3, 3, 0])
    expect(await counted(generation)).toEqual({ a: 3, b: 1 })
  })

  test('is not delayed by a later unreadable record', async () => {
    const { bench, instance, counted, done } = await past()
    bench.feed.appendUnreadable(ledger(1), 'damaged')
    await eventually(() => expect(instance.stops).toHaveLength(1))
    const generation = await instance.runner.rebuild({ beforeMs: Date.parse('2025-01-01') })
    await done(generation, [4, 4, 0])
    expect(await counted(generation)).toEqual({})
  })

  test('stops reading once it is complete', async () => {
    const bench = new ProjectionBench()
    bench.append(30)
    const feed = new CountingFeed(bench.feed)
    const instance = await bench.start(balances(), { feed })
    await bench.expectServed(balances())
    const generation = await instance.runner.rebuild({ beforeMs: Infinity })
    await eventually(async () =>
      expect(await allViews(bench.store, balances(), generation)).toEqual(
        await allViews(bench.store, balances()),
      ),
    )
    await eventually(() => expect(feed.following).toBe(3))
    await afterPolls()
    expect(feed.following).toBe(3)
  })

  test('completes in an empty partition', async () => {
    const bench = new ProjectionBench()
    const instance = await bench.start(balances())
    await bench.expectServed(balances())
    const generation = await instance.runner.rebuild({ beforeMs: 0 })
    await eventually(async () => {
      const state = (await bench.store.generations.list(balances())).find(({ id }) => id === generation)
      expect([...(state?.checkpoints.values() ?? [])]).toEqual([0, 0, 0])
    })
  })

  test('of a deleted log is retired; one of the current log is kept', async () => {
    const { bench, instance, done } = await past()
    const generation = await instance.runner.rebuild({ beforeMs: Date.parse(at(4)) })
    await done(generation, [4, 3, 0])
    await instance.stop()
    const { topic } = ledger(0)
    const next = await bench.start(balances(), { topicIds: { [topic]: 'of the restored topic' } })
    const statusOf = async (id: string) =>
      (await bench.store.generations.list(balances())).find((state) => state.id === id)?.status
    await eventually(async () => expect(await statusOf(generation)).toBe('retired'))
    const own = await next.runner.rebuild({ beforeMs: Date.parse(at(4)) })
    await afterPolls()
    expect(await statusOf(own)).toBe('kept')
  })
})
