import { describe, expect, onTestFinished, test } from 'vitest'

import { InMemoryViewStore } from '../in-memory/in-memory-view-store.ts'
import { formatPartition } from '#domain'
import { aroundStore } from '../testing/around-store.ts'
import { InMemoryFeed } from '../testing/in-memory-feed.ts'
import { balances, entered, ledger, ledgers } from '../testing/ledger.ts'
import { allViews, eventually, ProjectorInstance, servingState } from '../testing/projector-instance.ts'

const projection = balances()
const sources = ledgers(3)

/** A store whose commits wait for the test; it counts those under way. */
function slowCommits(store: InMemoryViewStore) {
  const gate = { isOpen: true, waiting: 0, open: Promise.withResolvers<undefined>() }
  const slow = aroundStore(store, async (method, proceed) => {
    if (method === 'views.commit' && !gate.isOpen) {
      gate.waiting++
      await gate.open.promise
    }
    return proceed()
  })
  const close = () => {
    gate.isOpen = false
    gate.open = Promise.withResolvers()
  }
  const open = () => {
    gate.isOpen = true
    gate.open.resolve(undefined)
  }
  return { gate, slow, close, open }
}

async function started(assigned: readonly number[], pollMs = 5) {
  const feed = new InMemoryFeed()
  const held = new InMemoryViewStore()
  const { slow, ...gate } = slowCommits(held)
  const instance = await ProjectorInstance.start({
    projection,
    feed,
    store: slow,
    sources,
    assigned: assigned.map(ledger),
    settings: { pollMs },
  })
  onTestFinished(() => {
    gate.open()
    return instance.stop()
  })
  const append = (partition: number, count = 20) =>
    feed.append(ledger(partition), ...Array.from({ length: count }, () => entered(`${partition}`, 1)))
  const checkpoint = async (partition: number) =>
    (await servingState(held, projection)).checkpoints.get(formatPartition(ledger(partition)))
  const applied = (partition: number) =>
    eventually(async () => expect(await checkpoint(partition)).toBe(await feed.endOffset(ledger(partition))))
  return { feed, held, instance, append, checkpoint, applied, ...gate }
}

const moment = () => new Promise((resolve) => setTimeout(resolve, 15))

test('only assigned partitions are read; those of other projections are passed over', async () => {
  const { instance, append, applied, checkpoint } = await started([0])
  append(0)
  append(1)
  await applied(0)
  expect(await checkpoint(1)).toBeUndefined()
  instance.runner.assign([{ topic: 'eventstore.order', partition: 0 }, ledger(1)])
  await applied(1)
  await moment()
  expect(instance.problems).toEqual([])
  expect(new Set(instance.steps.map(({ source }) => source.topic))).toEqual(new Set(['eventstore.account']))
})

test('a partition that is revoked in mid-work is applied no further once that has come back', async () => {
  const { instance, append, applied, checkpoint, gate, close, open } = await started([0, 1])
  close()
  append(0, 40)
  await eventually(() => expect(gate.waiting).toBeGreaterThan(0))
  let isRevoked = false
  const revoking = instance.runner.revoke([ledger(0)]).then(() => (isRevoked = true))
  await moment()
  expect(isRevoked).toBe(false)
  open()
  await revoking
  const then = await checkpoint(0)
  expect(then).toBeLessThan(40)
  append(1)
  await applied(1)
  await moment()
  expect(await checkpoint(0)).toBe(then)
  instance.runner.assign([ledger(0)])
  await applied(0)
})

test('one that is revoked just while the instance looks what to do is not begun', async () => {
  const { held, instance, append, applied, checkpoint, gate, close, open } = await started([0], 60_000)
  append(0)
  append(1)
  await applied(0)
  // A look has to wait for this one's step, once its generation is given up.
  close()
  const generation = await instance.runner.rebuild({ beforeMs: Infinity })
  await eventually(() => expect(gate.waiting).toBe(1))
  await held.generations.retire({ projection, generation })
  instance.runner.assign([ledger(1)])
  await moment()
  await instance.runner.revoke([ledger(1)])
  open()
  await moment()
  expect(await checkpoint(1)).toBeUndefined()
  instance.runner.assign([ledger(1)])
  await applied(1)
})

describe('stop()', () => {
  test('in mid-work ends with the step under way, and nothing goes on behind it', async () => {
    const { instance, append, checkpoint, gate, close, open, held } = await started([0])
    append(0, 100)
    await eventually(async () => expect(await checkpoint(0)).toBeGreaterThan(0))
    close()
    append(0, 100)
    await eventually(() => expect(gate.waiting).toBeGreaterThan(0))
    const before = (await checkpoint(0)) ?? 0
    const stopping = instance.stop()
    open()
    await stopping
    const after = (await checkpoint(0)) ?? 0
    expect(after - before).toBeGreaterThan(0)
    expect(after - before).toBeLessThanOrEqual(10)
    append(0)
    await moment()
    expect(await checkpoint(0)).toBe(after)
    expect(await allViews(held, projection)).toMatchObject({ 0: { events: after } })
  })

  test('does not wait for tries of an event that fails', async () => {
    const feed = new InMemoryFeed()
    const failing = balances({
      on: {
        Entered: () => {
          throw new Error('never')
        },
      },
    })
    const instance = await ProjectorInstance.start({
      projection: failing,
      feed,
      store: new InMemoryViewStore(),
      sources,
      settings: { retryDelayMsMin: 60_000, retryDelayMsMax: 60_000 },
    })
    feed.append(ledger(0), entered('a', 1))
    await eventually(() => expect(instance.failures).toHaveLength(1))
    await instance.stop()
    expect(instance.stops).toEqual([])
  })

  test('does not wait for a store that is away, nor for one that is held', async () => {
    const feed = new InMemoryFeed()
    const store = new InMemoryViewStore()
    let answered = 0
    let answer = 'held'
    const answering = aroundStore(store, (method, proceed) => {
      if (method !== 'views.commit') return proceed()
      answered++
      return answer === 'held' ? Promise.resolve('held') : Promise.reject(new Error('away'))
    })
    for (const each of ['held', 'away']) {
      answer = each
      const settings = { retryDelayMsMin: 60_000, retryDelayMsMax: 60_000 }
      const instance = await ProjectorInstance.start({
        projection,
        feed,
        store: answering,
        sources,
        settings,
      })
      feed.append(ledger(0), entered('a', 1))
      answered = 0
      await eventually(() => expect(answered).toBeGreaterThan(0))
      await instance.stop()
      const then = answered
      await moment()
      expect(answered).toBe(then)
    }
  })

  test('may come before anything has begun', async () => {
    const { instance } = await started([])
    await instance.stop()
    expect(instance.steps).toEqual([])
  })
})
