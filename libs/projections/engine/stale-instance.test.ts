import { expect, test } from 'vitest'

import { aroundStore } from '../testing/around-store.ts'
import { CountingFeed } from '../testing/counting-feed.ts'
import { balances, entered, ledger, totals } from '../testing/ledger.ts'
import { afterPolls, ProjectionBench } from '../testing/projection-bench.ts'
import { allViews, eventually } from '../testing/projector-instance.ts'
import { UnreliableStore } from '../testing/unreliable-store.ts'
import type { ViewStore } from '../view-store/view-store.ts'

test.each([balances(), totals()])(
  'an instance that freezes between read and commit, is replaced and wakes up changes nothing: $name',
  async (projection) => {
    const bench = new ProjectionBench()
    let isFreezing = false
    const line = new UnreliableStore(bench.store, (method) =>
      isFreezing && method === 'views.commit' ? 'frozen' : 'none',
    )
    const stale = await bench.start(projection, { store: line.store })
    bench.append(9)
    await bench.expectServed(projection)
    isFreezing = true
    bench.append(9)
    await eventually(() => expect(line.frozen).toBeGreaterThan(0))
    await bench.start(projection)
    await bench.expectServed(projection)
    bench.append(9)
    await bench.expectServed(projection)
    const before = await allViews(bench.store, projection)
    isFreezing = false
    line.thaw()
    await eventually(() => expect(stale.refusals.length).toBeGreaterThanOrEqual(line.frozen))
    expect(new Set(stale.refusals)).toEqual(new Set(['checkpoint-moved']))
    await afterPolls()
    expect(await allViews(bench.store, projection)).toEqual(before)
    bench.append(9)
    await bench.expectServed(projection)
  },
)

test('a step whose views another step has changed is folded again from the same checkpoint', async () => {
  const bench = new ProjectionBench()
  let collisions = 3
  const reads: unknown[] = []
  const store: ViewStore = aroundStore(bench.store, (method, proceed, args) => {
    if (method === 'views.read') reads.push(args[1])
    return method === 'views.commit' && reads.length > 0 && collisions-- > 0
      ? Promise.resolve('view-changed')
      : proceed()
  })
  const instance = await bench.start(totals(), { store })
  bench.feed.append(ledger(0), entered('a', 1, 'g'), entered('b', 2, 'h'))
  await bench.expectServed(totals())
  expect(instance.refusals).toEqual(['view-changed', 'view-changed', 'view-changed'])
  expect(reads).toEqual(Array.from({ length: 4 }, () => ['g', 'h']))
})

test('a step held during a switch waits and is then committed unchanged', async () => {
  const bench = new ProjectionBench()
  const asked: string[] = []
  let holds = 0
  const store = aroundStore(bench.store, (method, proceed) => {
    if (method === 'views.read' || method === 'views.commit') asked.push(method)
    return method === 'views.commit' && holds-- > 0 ? Promise.resolve('held') : proceed()
  })
  const instance = await bench.start(totals(), { store })
  await bench.expectServed(totals())
  asked.length = 0
  holds = 3
  bench.feed.append(ledger(0), entered('a', 1, 'g'))
  await bench.expectServed(totals())
  expect(asked).toEqual(['views.read', 'views.commit', 'views.commit', 'views.commit', 'views.commit'])
  expect(instance.refusals).toEqual([])
})

test('a step whose views keep changing is reported and retried', async () => {
  const bench = new ProjectionBench()
  let collisions = 150
  const store = aroundStore(bench.store, (method, proceed, args) =>
    method === 'views.commit' && (args[1] as { changes: unknown[] }).changes.length > 0 && collisions-- > 0
      ? Promise.resolve('view-changed')
      : proceed(),
  )
  const instance = await bench.start(totals(), { store })
  bench.feed.append(ledger(0), entered('a', 1, 'g'))
  await bench.expectServed(totals())
  expect(instance.problems).toEqual([expect.stringContaining('changed during 100 attempts')])
})

test('an instance that makes progress while the store answers a poll is not restarted', async () => {
  const bench = new ProjectionBench()
  let polls = 0
  const store = aroundStore(bench.store, async (method, proceed) => {
    const answer = await proceed()
    if (method !== 'generations.list') return answer
    polls++
    bench.append(30)
    await afterPolls(1)
    return answer
  })
  const feed = new CountingFeed(bench.feed)
  const instance = await bench.start(balances(), { store, feed })
  await eventually(() => expect(polls).toBeGreaterThan(20))
  await instance.stop()
  expect(feed.begun).toBe(3)
})

test('after a lost answer the store’s checkpoint decides: nothing is applied twice', async () => {
  const bench = new ProjectionBench()
  let losses = 2
  const line = new UnreliableStore(bench.store, (method) =>
    method === 'views.commit' && losses-- > 0 ? 'lost' : 'none',
  )
  const instance = await bench.start(balances(), { store: line.store })
  bench.append(20)
  await bench.expectServed(balances())
  expect(instance.problems).toEqual(['the answer was lost', 'the answer was lost'])
  expect(instance.refusals).toEqual([])
})
