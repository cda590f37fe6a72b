import { expect, onTestFinished, test } from 'vitest'

import type { Position } from '#domain'

import { InMemoryViewStore } from '../in-memory/in-memory-view-store.ts'
import { aroundStore } from '../testing/around-store.ts'
import { InMemoryFeed } from '../testing/in-memory-feed.ts'
import { balances, entered, ledger, ledgers } from '../testing/ledger.ts'
import { allViews, eventually, ProjectorInstance, servingState } from '../testing/projector-instance.ts'
import type { ViewStore } from '../view-store/view-store.ts'
import { ParkedRetry } from './parked-retry.ts'

const plain = balances()
let isMended = false
const projection = balances({
  onError: 'dead-letter',
  on: {
    Entered: (view, event) => {
      if (!isMended && event.data.amount >= 100) throw new Error('too much')
      return plain.apply(view, event)
    },
  },
})

/** Amounts from 100 on are parked; all others are applied. */
async function withParked(...amounts: readonly number[]) {
  isMended = false
  const feed = new InMemoryFeed()
  const store = new InMemoryViewStore()
  const instance = await ProjectorInstance.start({ projection, feed, store, sources: ledgers(1) })
  onTestFinished(() => instance.stop())
  feed.append(ledger(0), ...amounts.map((amount) => entered('a', amount)))
  await eventually(async () => {
    expect([...(await servingState(store, projection)).checkpoints.values()]).toEqual([amounts.length])
  })
  const set = { projection, generation: (await servingState(store, projection)).id }
  const parked = () => store.parked.list(set, { offset: 0, limit: 100 })
  const positions = (await parked()).map(({ position }) => position)
  const retry = (asked: readonly Position[] = positions, through: ViewStore = store) =>
    new ParkedRetry(projection, through, feed).retry(set, asked)
  const view = async () => (await allViews(store, projection))['a']
  return { feed, store, set, parked, positions, retry, view }
}

test('parked events are applied once after a fix', async () => {
  const { retry, view, parked, store } = await withParked(1, 100, 2, 200)
  expect(await view()).toMatchObject({ events: 2, balance: 3 })
  isMended = true
  expect(await retry()).toEqual({ applied: 2, failed: [] })
  expect(await view()).toMatchObject({ events: 4, balance: 303 })
  expect(await parked()).toEqual([])
  expect(await retry()).toEqual({ applied: 0, failed: [] })
  expect(await view()).toMatchObject({ events: 4, balance: 303 })
  expect([...(await servingState(store, projection)).checkpoints.values()]).toEqual([4])
})

test('parked events are applied once by concurrent retries', async () => {
  const { retry, view } = await withParked(1, 100, 200, 300)
  isMended = true
  const results = await Promise.all([retry(), retry(), retry()])
  expect(results.reduce((sum, { applied }) => sum + applied, 0)).toBe(3)
  expect(results.flatMap(({ failed }) => failed)).toEqual([])
  expect(await view()).toMatchObject({ events: 4, balance: 601 })
})

test('events that still fail stay parked, with the new error', async () => {
  const { retry, parked, positions, view } = await withParked(1, 100)
  expect(await retry()).toMatchObject({ applied: 0, failed: [{ position: positions[0], error: 'too much' }] })
  expect(await parked()).toHaveLength(1)
  expect(await view()).toMatchObject({ events: 1 })
})

test('an event deleted from the log does not delay the others', async () => {
  const { retry, feed, parked, view } = await withParked(100, 1, 200)
  feed.dropBefore(ledger(0), 1)
  isMended = true
  const { applied, failed } = await retry()
  expect([applied, failed.map(({ position }) => position.offset)]).toEqual([1, [0]])
  expect(failed[0]?.error).toMatch(/no event at/)
  expect(await parked()).toHaveLength(1)
  expect(await view()).toMatchObject({ events: 2, balance: 201 })
})

test('dropped events are not applied', async () => {
  const { retry, store, set, positions, view } = await withParked(1, 100)
  await store.parked.drop(set, positions)
  isMended = true
  expect(await retry()).toEqual({ applied: 0, failed: [] })
  expect(await view()).toMatchObject({ events: 1 })
})

test('an event whose view changes during the retry is folded again', async () => {
  const { retry, store, feed, view } = await withParked(1, 100)
  isMended = true
  let reads = 0
  const busy = aroundStore(store, async (method, proceed) => {
    const answer = await proceed()
    if (method === 'views.read' && reads++ === 0) {
      feed.append(ledger(0), entered('a', 10))
      await eventually(async () => expect(await view()).toMatchObject({ balance: 11 }))
    }
    return answer
  })
  expect(await retry(undefined, busy)).toEqual({ applied: 1, failed: [] })
  expect(reads).toBe(2)
  expect(await view()).toMatchObject({ events: 3, balance: 111 })
})

test('an event whose view keeps changing is given up and stays parked', async () => {
  const { retry, store, parked } = await withParked(1, 100)
  isMended = true
  const busy = aroundStore(store, (method, proceed) =>
    method === 'parked.apply' ? Promise.resolve('view-changed') : proceed(),
  )
  const { applied, failed } = await retry(undefined, busy)
  expect(applied).toBe(0)
  expect(failed[0]?.error).toMatch(/changed during 100 attempts/)
  expect(await parked()).toHaveLength(1)
})

test('an event that no longer has a view is unparked', async () => {
  const { store, set, parked, feed, positions, view } = await withParked(1, 100)
  const selective = balances({
    key: ({ data }) => ('amount' in data && data.amount >= 100 ? undefined : 'a'),
  })
  expect(await new ParkedRetry(selective, store, feed).retry(set, positions)).toMatchObject({ applied: 1 })
  expect(await parked()).toEqual([])
  expect(await view()).toMatchObject({ events: 1 })
})
