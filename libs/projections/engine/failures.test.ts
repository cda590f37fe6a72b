import { describe, expect, test } from 'vitest'

import { formatPartition, type Position } from '#domain'

import { aroundStore } from '../testing/around-store.ts'
import { CountingFeed } from '../testing/counting-feed.ts'
import { balances, entered, ledger, totals } from '../testing/ledger.ts'
import { afterPolls, ProjectionBench } from '../testing/projection-bench.ts'
import { allViews, eventually, servingState } from '../testing/projector-instance.ts'
import type { ViewCommit } from '../view-store/views.ts'

/** Fails for the poison amount 666 until the test turns it off. */
function poisoned(onError: 'stop' | 'dead-letter') {
  const poison = { isDeadly: true, tries: 0, triesToFail: Infinity }
  const plain = balances()
  const projection = balances({
    onError,
    on: {
      Entered: (view, event) => {
        const fails = event.data.amount === 666 && poison.isDeadly && ++poison.tries <= poison.triesToFail
        if (fails) throw new Error('the reducer rejects it')
        return plain.apply(view, event)
      },
    },
  })
  return { projection, poison }
}

const view = (events: number, balance: number) => expect.objectContaining({ events, balance }) as unknown

describe('a failing event with the policy stop', () => {
  test('stops its partition after the events before it; other partitions and projections continue', async () => {
    const bench = new ProjectionBench()
    const { projection, poison } = poisoned('stop')
    const instance = await bench.start(projection)
    await bench.start(totals())
    bench.feed.append(ledger(0), entered('a', 1), entered('a', 2), entered('a', 666), entered('a', 4))
    bench.feed.append(ledger(1), entered('b', 5))
    await eventually(() => expect(instance.stops).toEqual([formatPartition(ledger(0))]))
    await bench.expectCheckpoint(projection, 0, 2)
    bench.feed.append(ledger(0), entered('a', 8))
    bench.feed.append(ledger(1), entered('b', 6))
    await bench.expectCheckpoint(projection, 1, 2)
    await bench.expectCheckpoint(totals(), 0, 5)
    expect(await allViews(bench.store, projection)).toEqual({ a: view(2, 3), b: view(2, 11) })
    const { stops } = await servingState(bench.store, projection)
    expect([...stops]).toMatchObject([
      [formatPartition(ledger(0)), { position: { offset: 2 }, error: 'the reducer rejects it' }],
    ])
    expect(poison.tries).toBeGreaterThanOrEqual(3)
    expect(instance.failures.map(({ isLastTry }) => isLastTry)).toEqual([false, false, true])
    expect(instance.problems).toEqual([])
  })

  test('is applied once the reducer is fixed and the partition resumed', async () => {
    const bench = new ProjectionBench()
    const { projection, poison } = poisoned('stop')
    const instance = await bench.start(projection)
    bench.feed.append(ledger(0), entered('a', 1), entered('a', 666), entered('a', 4))
    await eventually(() => expect(instance.stops).toHaveLength(1))
    poison.isDeadly = false
    await afterPolls(4)
    await bench.expectCheckpoint(projection, 0, 1)
    expect(await bench.store.generations.resume(projection)).toBe(1)
    await bench.expectCheckpoint(projection, 0, 3)
    expect(await allViews(bench.store, projection)).toEqual({ a: view(3, 671) })
  })

  test('keeps its partition stopped for later instances, and stops it again when it is resumed too early', async () => {
    const bench = new ProjectionBench()
    const { projection } = poisoned('stop')
    const first = await bench.start(projection)
    bench.feed.append(ledger(0), entered('a', 666))
    await eventually(() => expect(first.stops).toHaveLength(1))
    await first.stop()
    const second = await bench.start(projection)
    bench.feed.append(ledger(1), entered('b', 1))
    await bench.expectCheckpoint(projection, 1, 1)
    expect(second.failures).toEqual([])
    await bench.store.generations.resume(projection)
    await eventually(() => expect(second.stops).toHaveLength(1))
    expect((await servingState(bench.store, projection)).stops.size).toBe(1)
  })

  test('that another instance has applied since stops nothing: the stop came from a stale instance', async () => {
    const bench = new ProjectionBench()
    const old = poisoned('stop')
    const noted = Promise.withResolvers<undefined>()
    const store = aroundStore(bench.store, async (method, proceed) => {
      if (method === 'generations.stop') await noted.promise
      return proceed()
    })
    const stale = await bench.start(old.projection, { store })
    bench.feed.append(ledger(0), entered('a', 666))
    await eventually(() => expect(stale.failures).toHaveLength(3))
    const fresh = await bench.start(balances())
    await bench.expectCheckpoint(balances(), 0, 1)
    noted.resolve(undefined)
    await eventually(() => expect(stale.stops).toHaveLength(1))
    bench.feed.append(ledger(0), entered('a', 1))
    await bench.expectCheckpoint(balances(), 0, 2)
    await fresh.stop()
  })
})

describe('a failing event with the policy dead-letter', () => {
  test('is parked in the same step; the events around it are applied once', async () => {
    const bench = new ProjectionBench()
    const { projection } = poisoned('dead-letter')
    const feed = new CountingFeed(bench.feed)
    const commits: ViewCommit[] = []
    const store = aroundStore(bench.store, (method, proceed, [, commit]) => {
      if (method === 'views.commit') commits.push(commit as ViewCommit)
      return proceed()
    })
    const letters: Position[] = []
    const deadLetters = {
      add: (letter: { readonly position: Position }) => {
        expect(commits.flatMap(({ parked }) => parked)).toHaveLength(letters.length)
        letters.push(letter.position)
        return Promise.resolve()
      },
    }
    const amounts = [666, 1, 2, 666, 666, 4, 666]
    bench.feed.append(ledger(0), ...amounts.map((amount) => entered('a', amount)))
    bench.feed.appendMarkers(ledger(0), 2)
    const instance = await bench.start(projection, { store, feed, deadLetters, assigned: [ledger(0)] })
    await bench.expectCheckpoint(projection, 0, 9)
    expect(await allViews(bench.store, projection)).toEqual({ a: view(3, 7) })
    const parked = await bench.parked(projection)
    expect(parked.map(({ position }) => position.offset)).toEqual([0, 3, 4, 6])
    expect(parked[0]?.error).toBe('the reducer rejects it')
    expect(letters.map(({ offset }) => offset)).toEqual([0, 3, 4, 6])
    expect(instance.parkings).toHaveLength(4)
    expect(instance.refusals).toEqual([])
    const [first, ...rest] = commits.map(({ from, to, parked: aside }) => [from, to, aside.length])
    expect(first).toEqual([undefined, 1, 1])
    expect(rest).toEqual([
      [1, 3, 0],
      [3, 4, 1],
      [4, 5, 1],
      [5, 6, 0],
      [6, 9, 1],
    ])
    expect(feed.begun).toBe(1)
  })

  test('waits until its dead letter is written, and is not lost', async () => {
    const bench = new ProjectionBench()
    const { projection } = poisoned('dead-letter')
    let refusals = 3
    const deadLetters = {
      add: () => (refusals-- > 0 ? Promise.reject(new Error('Kafka is unavailable')) : Promise.resolve()),
    }
    const instance = await bench.start(projection, { deadLetters })
    bench.feed.append(ledger(0), entered('a', 1), entered('a', 666), entered('a', 2))
    await bench.expectCheckpoint(projection, 0, 3)
    expect(await allViews(bench.store, projection)).toEqual({ a: view(2, 3) })
    expect(await bench.parked(projection)).toHaveLength(1)
    expect(instance.problems).toEqual(Array.from({ length: 3 }, () => 'Kafka is unavailable'))
  })
})

test.each(['stop', 'dead-letter'] as const)(
  'an event that fails twice is applied on the third try (%s)',
  async (onError) => {
    const bench = new ProjectionBench()
    const { projection, poison } = poisoned(onError)
    // A batch of several is folded once as a whole; then its event by itself.
    poison.triesToFail = 2
    const instance = await bench.start(projection)
    bench.feed.append(ledger(0), entered('a', 1), entered('a', 666), entered('a', 2))
    await bench.expectCheckpoint(projection, 0, 3)
    expect(await allViews(bench.store, projection)).toEqual({ a: view(3, 669) })
    expect(await bench.parked(projection)).toEqual([])
    expect(instance.stops).toEqual([])
  },
)

test('with a single try, the first failure decides', async () => {
  const bench = new ProjectionBench()
  const { projection, poison } = poisoned('dead-letter')
  poison.triesToFail = 1
  const instance = await bench.start(projection, { settings: { triesMax: 1 } })
  bench.feed.append(ledger(0), entered('a', 666))
  await bench.expectCheckpoint(projection, 0, 1)
  expect(instance.failures).toMatchObject([{ isLastTry: true }])
  expect(await bench.parked(projection)).toHaveLength(1)
})

test('an unreadable record follows the same policies', async () => {
  const bench = new ProjectionBench()
  bench.feed.append(ledger(0), entered('a', 1))
  bench.feed.appendUnreadable(ledger(0), 'schema id 7 is unknown')
  bench.feed.append(ledger(0), entered('a', 2))
  const parking = balances({ name: 'parking', onError: 'dead-letter' })
  const stopping = balances({ name: 'stopping' })
  await bench.start(parking)
  const stopped = await bench.start(stopping)
  await bench.expectCheckpoint(parking, 0, 3)
  await eventually(() => expect(stopped.stops).toHaveLength(1))
  await bench.expectCheckpoint(stopping, 0, 1)
  expect(await bench.parked(parking)).toMatchObject([
    { position: { offset: 1 }, error: 'schema id 7 is unknown' },
  ])
  expect(await allViews(bench.store, parking)).toEqual({ a: view(2, 3) })
})

test('the engine waits for a store that is temporarily unavailable', async () => {
  const bench = new ProjectionBench()
  let isAway = true
  const store = aroundStore(bench.store, (method, proceed) =>
    isAway && method !== 'prepare' ? Promise.reject(new Error('away')) : proceed(),
  )
  const instance = await bench.start(balances(), { store })
  bench.feed.append(ledger(0), entered('a', 1))
  await eventually(() => expect(instance.problems.length).toBeGreaterThan(2))
  isAway = false
  await bench.expectCheckpoint(balances(), 0, 1)
})
