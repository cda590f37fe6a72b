import { expect, onTestFinished, test, vi } from 'vitest'

import { LogError } from '#kafka'
import type { ViewSet } from '#projections'

import {
  generation,
  projection,
  testedPublisher,
  type TestStore,
  type TestWriter,
} from '../../../test/support/projections/tested-publisher.ts'
import { waitFor } from '../../../test/support/stack/stack.ts'

test('a change is published once, and a deleted view as a tombstone', async () => {
  const { store, writer, set, publisher, start, settled } = await testedPublisher()
  await store.change(set, 'a', '1')
  await store.change(set, 'b', '2')
  void start()
  await settled()
  await store.change(set, 'b', null)
  publisher.wake()
  await settled()
  expect(writer.published).toEqual(['g1 a 1', 'g1 b 2', 'g1 b null'])
})

test('the fence is held before views are read', async () => {
  const { store, set, start, settled } = await testedPublisher()
  await store.change(set, 'a', '1')
  void start()
  await settled()
  expect(store.calls.slice(0, 2)).toEqual(['takeOver', 'unpublished'])
})

test('a view that could not be marked as published is published again, so none is missed', async () => {
  const { store, writer, set, start, settled } = await testedPublisher()
  await store.change(set, 'a', '1')
  store.marksThatFail = 1
  void start()
  await settled()
  expect(writer.published).toEqual(['g1 a 1', 'g1 a 1'])
})

test('intermediate changes of a fast view may be skipped, but never the last one', async () => {
  const { store, writer, set, publisher, start, settled } = await testedPublisher()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  writer.gate = promise.then(() => undefined)
  await store.change(set, 'hot', '0')
  void start()
  await waitFor('views to be read', () => Promise.resolve(store.calls.includes('unpublished')))
  for (let count = 1; count <= 100; count++) {
    await store.change(set, 'hot', `${count}`)
    publisher.wake()
  }
  resolve(undefined)
  await settled()
  expect(writer.published.length).toBeLessThanOrEqual(2)
  expect(writer.published.at(-1)).toBe('g1 hot 100')
})

test('all views are published if there are more than one batch', async () => {
  const { store, writer, set, start, settled } = await testedPublisher()
  for (let count = 0; count < 4_203; count++) await store.change(set, `k${count}`, '1')
  void start()
  await settled()
  expect(new Set(writer.published).size).toBe(4_203)
  expect(store.calls.slice(0, 4)).toEqual(['takeOver', 'unpublished', 'unpublished', 'unpublished'])
})

test('a rejected view delays no other, is not retried until it changes, and is counted', async () => {
  const { store, writer, set, publisher, metrics, start } = await testedPublisher()
  writer.refusedKeys.add('bad')
  await store.change(set, 'bad', '1')
  await store.change(set, 'good', '2')
  void start()
  await waitFor('the good one', () => Promise.resolve(writer.published.length === 1))
  await store.change(set, 'good', '3')
  publisher.wake()
  await waitFor('the good one again', () => Promise.resolve(writer.published.length === 2))
  expect(await metrics.metrics()).toContain('annals_projector_publish_refused_total{projection="counts"} 1')
  expect(await store.outbox.unpublished(set, 10)).toMatchObject([{ key: 'bad', json: '1' }])
  writer.refusedKeys.clear()
  await store.change(set, 'bad', '4')
  publisher.wake()
  await waitFor('the bad one', () => Promise.resolve(writer.published.length === 3))
  expect(writer.published).toEqual(['g1 good 2', 'g1 good 3', 'g1 bad 4'])
})

async function changeMany(store: TestStore, set: ViewSet, writer: TestWriter, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    writer.refusedKeys.add(`bad-${index}`)
    await store.change(set, `bad-${index}`, '1')
  }
}

test('hundreds of rejected views delay no other', async () => {
  const { store, writer, set, start } = await testedPublisher()
  await changeMany(store, set, writer, 999)
  await store.change(set, 'good', '2')
  void start()
  await waitFor('the good one', () => Promise.resolve(writer.published.length === 1))
})

test('with more rejected views than are remembered it slows down instead of retrying constantly', async () => {
  const { store, writer, set, metrics, start } = await testedPublisher()
  await changeMany(store, set, writer, 1_700)
  void start()
  await waitFor('the second failure', async () =>
    (await metrics.metrics()).includes('annals_projector_keeping_failures_total{projection="counts"} 2'),
  )
  expect(store.calls.filter((call) => call === 'unpublished').length).toBeLessThanOrEqual(5)
})

test('a failure is counted and retried after another take-over', async () => {
  const { store, writer, set, metrics, start, settled } = await testedPublisher()
  writer.failures.push(new LogError('unknown', 'no answer'), new LogError('unavailable', 'no broker'))
  await store.change(set, 'a', '1')
  void start()
  await settled()
  expect(writer.published).toEqual(['g1 a 1'])
  expect(writer.takeOvers).toBeGreaterThanOrEqual(3)
  expect(await metrics.metrics()).toContain('annals_projector_keeping_failures_total{projection="counts"} 2')
})

test.for(['fenced', 'log-replaced'] as const)(
  'it ends when its log is %s: only a new publisher may take over again',
  async (outcome) => {
    const { store, writer, set, start } = await testedPublisher()
    writer.failures.push(new LogError(outcome, 'it is over'))
    await store.change(set, 'a', '1')
    expect(await start()).toBe(outcome)
    expect(writer.published).toEqual([])
  },
)

test('it serves once it has taken over', async () => {
  const { store, writer, set, serving, metrics, start, settled } = await testedPublisher()
  const takeOver = writer.takeOver.bind(writer)
  writer.takeOver = () => Promise.reject(new LogError('unavailable', 'no broker'))
  await store.change(set, 'a', '1')
  void start()
  await waitFor('two failures', async () =>
    (await metrics.metrics()).includes('annals_projector_keeping_failures_total{projection="counts"} 2'),
  )
  expect(serving).not.toHaveBeenCalled()
  writer.takeOver = takeOver
  await settled()
  expect(serving).toHaveBeenCalled()
})

test('it renews its fences by the wall clock too, which goes on while a machine is suspended', async () => {
  const { store, writer, set, start, settled } = await testedPublisher()
  await store.change(set, 'a', '1')
  void start()
  await settled()
  expect(writer.renewals).toBe(0)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_700_000 })
  onTestFinished(() => void vi.useRealTimers())
  await waitFor('a renewal', () => Promise.resolve(writer.renewals > 0))
})

test('without a changelog nothing is written and nothing waits', async () => {
  const { store, writer, set, serving, start, settled } = await testedPublisher(projection, false)
  await store.change(set, 'a', '1')
  void start()
  await settled()
  expect(serving).not.toHaveBeenCalled()
  expect(writer.calls.filter((call) => call === 'takeOver')).toEqual([])
  expect(writer.published).toEqual([])
})

test('after a switch the new generation is published, and views that it lacks are deleted', async () => {
  const { store, writer, set, start, settled } = await testedPublisher()
  await store.change(set, 'old', '1')
  void start()
  await settled()
  const next = { projection, generation: 'g2' }
  await store.generations.add(projection, generation('g2', 2))
  const commit = { source: { topic: 'eventstore.order', partition: 0 }, from: undefined, to: 9, parked: [] }
  const change = { key: 'new', expected: 0, json: '2', indexes: {}, changedAtMs: 1 }
  await store.views.commit(next, { ...commit, changes: [change] })
  expect(await store.generations.switchTo(next, 0)).toBe('switched')
  await waitFor(
    'the old generation to go',
    async () => (await store.generations.list(projection)).length === 1,
  )
  await settled()
  expect(writer.published.toSorted()).toEqual(['g1 old 1', 'g2 new 2', 'g2 old null'])
})

test('a view that a rebuild does not change is published again for the new generation, with its old time', async () => {
  const { store, writer, set, start, settled } = await testedPublisher()
  await store.change(set, 'same', '1')
  const [before] = await store.outbox.unpublished(set, 1)
  void start()
  await settled()
  const next = { projection, generation: 'g2' }
  await store.generations.add(projection, generation('g2'))
  const commit = { source: { topic: 'eventstore.order', partition: 0 }, from: undefined, to: 9, parked: [] }
  const change = { key: 'same', expected: 0, json: '1', indexes: {}, changedAtMs: 1 }
  await store.views.commit(next, { ...commit, changes: [change] })
  const [again] = await store.outbox.unpublished(next, 1)
  expect(again).toMatchObject({ key: 'same', json: before?.json, changedAtMs: before?.changedAtMs })
  expect(await store.generations.switchTo(next, 0)).toBe('switched')
  await settled()
  expect(writer.published).toEqual(['g1 same 1', 'g2 same 1'])
})

test('expired views are dropped and deleted from the changelog', async () => {
  const { store, writer, set, start, settled } = await testedPublisher({ ...projection, ttlMs: 1 })
  await store.change(set, 'long-ago', '1', Date.now() - 61_000)
  await store.change(set, 'just-now', '2', Date.now() - 1)
  void start()
  await waitFor('the deletion', () => Promise.resolve(writer.published.includes('g1 long-ago null')))
  await settled()
  expect(writer.published).not.toContain('g1 just-now null')
})

test('expired views of a generation that is behind are not dropped, because an earlier event may still be applied', async () => {
  const { store, writer, set, start } = await testedPublisher({ ...projection, ttlMs: 1 })
  store.whole.clear()
  await store.change(set, 'long-ago', '1', Date.now() - 61_000)
  void start()
  await waitFor('a look', () => Promise.resolve(writer.published.includes('g1 long-ago 1')))
  await waitFor('a second look', () => Promise.resolve(store.wholeAsked > 1))
  expect(writer.published).not.toContain('g1 long-ago null')
  store.whole.add('g1')
  await waitFor('the deletion', () => Promise.resolve(writer.published.includes('g1 long-ago null')))
})

test('generations are discarded while Kafka is unavailable', async () => {
  const { store, writer, start } = await testedPublisher()
  writer.takeOver = () => Promise.reject(new LogError('unavailable', 'no broker'))
  await store.generations.add(projection, generation('g2', 2))
  await store.generations.retire({ projection, generation: 'g2' })
  void start()
  await waitFor('the generation to go', async () => (await store.generations.list(projection)).length === 1)
})
