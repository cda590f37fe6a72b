import { describe, expect, onTestFinished, test } from 'vitest'

import { InMemoryViewStore } from '../in-memory/in-memory-view-store.ts'
import { formatPartition } from '#domain'
import { aroundStore } from '../testing/around-store.ts'
import { InMemoryFeed } from '../testing/in-memory-feed.ts'
import { balances, entered, ledger, ledgers } from '../testing/ledger.ts'
import { allViews, eventually, ProjectorInstance, servingState } from '../testing/projector-instance.ts'

const projection = balances()
const sources = ledgers(3)

/** A store whose commits wait for the test. It counts the waiting ones. */
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

test('only assigned partitions are read; those of other projections are ignored', async () => {
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

test('nothing is applied from a revoked partition once the revocation has resolved', async () => {
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

test('a partition revoked during a poll is not started', async () => {
  const { held, instance, append, applied, checkpoint, gate, close, open } = await started([0], 60_000)
  append(0)
  append(1)
  await applied(0)
  // Once this generation is retired, a poll has to wait for its step.
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
  test('during work ends with the current step; nothing continues in the background', async () => {
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

  test('does not wait for retries of a failing event', async () => {
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

  test('does not wait for a store that is unavailable or held', async () => {
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

  test('may be called before anything has started', async () => {
    const { instance } = await started([])
    await instance.stop()
    expect(instance.steps).toEqual([])
  })
})
