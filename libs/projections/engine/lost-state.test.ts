import { describe, expect, onTestFinished, test } from 'vitest'

import { formatPartition, project, type Projection } from '#domain'

import { InMemoryFeed } from '../testing/in-memory-feed.ts'
import { balances, entered, ledger, ledgers, totals } from '../testing/ledger.ts'
import { allViews, eventually, ProjectorInstance, servingState } from '../testing/projector-instance.ts'
import { RestorableStore } from '../testing/restorable-store.ts'

const partitions = 4
const sources = ledgers(partitions)

async function started(projection: Projection) {
  const feed = new InMemoryFeed({ chunkEventsMax: 7 })
  const restorable = new RestorableStore()
  const { store } = restorable
  const instance = await ProjectorInstance.start({ projection, feed, store, sources })
  onTestFinished(() => instance.stop())
  const append = (count: number, into: readonly number[] = [0, 1, 2, 3]) => {
    for (let n = 0; n < count; n++) {
      for (const partition of into)
        feed.append(ledger(partition), entered(`${partition}-${n % 3}`, n + partition, `g${n % 2}`))
    }
  }
  const expectAll = () =>
    eventually(async () => {
      const { checkpoints } = await servingState(store, projection)
      const ends = await Promise.all(
        sources.map(async (source) => [formatPartition(source), await feed.endOffset(source)] as const),
      )
      expect(checkpoints).toEqual(new Map(ends))
      expect(await allViews(store, projection)).toEqual(
        Object.fromEntries(project(projection, new Map(), feed.events)),
      )
    })
  return { restorable, store, instance, append, expectAll }
}

describe.each([
  ['by stream', balances()],
  ['across streams', totals()],
])('views %s are restored automatically', (_, projection) => {
  test('when the store is emptied while nothing is appended', async () => {
    const { restorable, append, expectAll } = await started(projection)
    append(20)
    await expectAll()
    await restorable.empty()
    await expectAll()
  })

  test('when the store is emptied repeatedly during work', async () => {
    const { restorable, append, expectAll } = await started(projection)
    for (let round = 0; round < 5; round++) {
      append(20)
      await new Promise((resolve) => setTimeout(resolve, round))
      await restorable.empty()
    }
    await expectAll()
  })

  test('when the store is restored from an older copy, also in an idle partition', async () => {
    const { restorable, append, expectAll } = await started(projection)
    append(5)
    await expectAll()
    const copy = restorable.copy()
    append(9, [1, 3])
    await expectAll()
    await restorable.restore(copy)
    await expectAll()
    await restorable.restore(copy)
    append(3, [0])
    await expectAll()
  })

  test('when the store is emptied and then restored', async () => {
    const { restorable, append, expectAll } = await started(projection)
    append(10)
    await expectAll()
    const copy = restorable.copy()
    append(10)
    await expectAll()
    await restorable.empty()
    append(1)
    await new Promise((resolve) => setTimeout(resolve, 3))
    await restorable.restore(copy)
    await expectAll()
  })
})

test('a generation that vanishes and returns before the next poll is continued', async () => {
  const projection = balances()
  const { restorable, append, expectAll, instance } = await started(projection)
  append(5)
  await expectAll()
  const copy = restorable.copy()
  const generation = (await servingState(restorable.store, projection)).id
  // The manager is between two polls when the runners find nothing.
  await restorable.empty()
  append(1)
  await new Promise(setImmediate)
  await restorable.restore(copy)
  await expectAll()
  append(1)
  await expectAll()
  expect((await servingState(restorable.store, projection)).id).toBe(generation)
  expect(instance.problems).toEqual([])
})

test('a complete look at the past is completed again after the store is restored from an older copy', async () => {
  const projection = balances()
  const { restorable, store, append, expectAll, instance } = await started(projection)
  append(6)
  await expectAll()
  const kept = await instance.runner.rebuild({ beforeMs: Infinity })
  const copy = restorable.copy()
  const expectKept = () =>
    eventually(async () => {
      expect(await allViews(store, projection, kept)).toEqual(await allViews(store, projection))
    })
  await expectKept()
  await restorable.restore(copy)
  await expectKept()
})
