import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { position } from '#domain'
import {
  type NewGeneration,
  type StoredProjection,
  type ViewChange,
  type ViewSet,
  type ViewStore,
  ViewStoreUnavailableError,
} from '#projections'
import { viewStoreContract } from '#projections/testing'
import { RedisViewStore } from '#projections-redis'
import { connectRedis, type RedisConnection } from '#redis-index'

import { freePorts, type Redis, startRedis } from '../../../scripts/stack/index.ts'
import { keysOf, openRedis, patientMs } from '../../support/index/redis-index.ts'
import { testStack, uniqueName, waitFor } from '../../support/stack/stack.ts'

async function loseAll(redis: RedisConnection): Promise<void> {
  await redis.call('DEL', await keysOf(redis))
}

viewStoreContract('Redis', async (clock) => {
  const { redisUrl: url } = testStack()
  const redis = connectRedis({ url, keyPrefix: uniqueName('views'), commandTimeoutMs: patientMs })
  await redis.ready(patientMs)
  return {
    store: new RedisViewStore(redis, clock),
    loseAll: () => loseAll(redis),
    teardown: () => {
      redis.close()
      return Promise.resolve()
    },
  }
})

const source = { topic: 'eventstore.order', partition: 3 }
const projection: StoredProjection = { name: 'spend', indexNames: ['spend'] }
const set: ViewSet = { projection, generation: 'g1' }
const generation = (id: string, more: Partial<NewGeneration> = {}): NewGeneration => ({
  id,
  viewVersion: 1,
  indexNames: projection.indexNames,
  createdAtMs: 1,
  topicIds: { 'eventstore.order': 'topic-1' },
  range: {},
  ...more,
})
const change = (key: string, spend: number, more: Partial<ViewChange> = {}): ViewChange => ({
  key,
  expected: 0,
  json: JSON.stringify({ spend }),
  indexes: { spend },
  changedAtMs: 1_000,
  ...more,
})

const kindsOf = async (redis: RedisConnection) => (await keysOf(redis)).map((key) => key.split('}')[1])

/** A store with a serving generation. */
async function open(): Promise<{ redis: RedisConnection; store: ViewStore }> {
  const redis = await openRedis(testStack().redisUrl)
  const store = new RedisViewStore(redis, { now: () => 5_000 })
  await store.generations.add(projection, generation('g1'))
  return { redis, store }
}

const commit = (store: ViewStore, from: number | undefined, to: number, changes: readonly ViewChange[]) =>
  store.views.commit(set, { source, from, to, changes, parked: [] })

/** A Redis that a test may stop and start again. */
async function ownRedis(options: { readonly maxMemory?: string } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'annals-redis-'))
  const [port = 0] = await freePorts(1)
  let server: Redis | undefined
  const stop = async () => server?.stop()
  const start = async () => {
    server = await startRedis({ port, folder, logFile: join(folder, 'redis.log'), ...options })
  }
  onTestFinished(async () => {
    await stop()
    await rm(folder, { recursive: true, force: true })
  })
  await start()
  return { port, url: `redis://127.0.0.1:${port}`, start, stop }
}

/** Fills every kind of key. */
async function fill(store: ViewStore): Promise<void> {
  const at = position(source.topic, source.partition, 1)
  const parked = [{ position: at, error: 'no', parkedAtMs: 1 }]
  const changes = [change('a', 1, { expiresAtMs: 9_000 }), change('b', 2)]
  await store.views.commit(set, { source, from: undefined, to: 2, changes, parked })
  await store.generations.stop(set, source, { position: at, error: 'no', stoppedAtMs: 1 })
}

test('all keys of a projection share one hash tag, and none has a time to live', async () => {
  const { redis, store } = await open()
  await fill(store)
  await store.generations.add(projection, generation('g2'))
  const keys = await keysOf(redis)
  const tag = `{${redis.keyPrefix}:p:spend}`
  const kinds = 'checkpoints errors expiry index:spend meta order parked stops unpublished views'.split(' ')
  const names = [...kinds.map((kind) => `g1:${kind}`), 'g2:meta', 'generations']
  expect(keys).toEqual(names.map((name) => tag + name))
  for (const key of keys) expect(await redis.call('TTL', [key])).toBe(-1)
})

test('a discarded generation leaves no key behind, even if the indexes have changed', async () => {
  const { redis, store } = await open()
  await fill(store)
  await store.generations.add(projection, generation('g2'))
  const later: StoredProjection = { name: 'spend', indexNames: ['other'] }
  const next = { projection: later, generation: 'g2' }
  await store.views.commit(next, { source, from: undefined, to: 2, changes: [], parked: [] })
  expect(await store.generations.switchTo(next, 100)).toBe('switched')
  expect(await store.generations.discard({ projection: later, generation: 'g1' }, 1)).toBe(false)
  expect(await store.views.expire(set, 99_999, 10)).toBe(0)
  expect(await store.generations.discard({ projection: later, generation: 'g1' }, 2)).toBe(true)
  expect(await kindsOf(redis)).toEqual(['g2:checkpoints', 'g2:meta', 'g2:unpublished', 'generations'])
})

test('an emptied Redis has no generation, commits return gone, and no call leaves a key behind', async () => {
  const { redis, store } = await open()
  await fill(store)
  await loseAll(redis)
  const at = position(source.topic, source.partition, 1)
  expect(await store.generations.list(projection)).toEqual([])
  expect(await commit(store, 2, 3, [change('a', 1)])).toBe('gone')
  expect(await commit(store, undefined, 3, [change('a', 1)])).toBe('gone')
  expect(await store.parked.apply(set, at, [change('a', 1)])).toBe('gone')
  expect(await store.generations.switchTo(set, 100)).toBe('gone')
  expect(await store.views.find(projection, 'a')).toEqual({ outcome: 'no-generation' })
  expect(await store.views.page(projection, { descending: false, limit: 9 })).toEqual({
    outcome: 'no-generation',
  })
  expect(await store.views.read(set, ['a'])).toEqual(new Map())
  await store.generations.stop(set, source, { position: at, error: 'no', stoppedAtMs: 1 })
  await store.outbox.markPublished(set, [{ key: 'a', revision: 1 }])
  expect(await store.views.expire(set, 99_999, 10)).toBe(0)
  expect(await store.parked.drop(set, [at])).toBe(0)
  expect(await store.generations.resume(projection)).toBe(0)
  expect(await store.generations.retire(set)).toBe(false)
  expect(await keysOf(redis)).toEqual([])
})

test('a commit may exceed the argument limit of Lua, and a deletion leaves no key behind', async () => {
  const { redis, store } = await open()
  const keys = Array.from({ length: 9_001 }, (_, n) => `customer-${n}`)
  const figures = (factor: number) => keys.map((key, n) => change(key, n * factor, { expiresAtMs: 9_000 }))
  expect(await commit(store, undefined, 1, figures(1))).toBe('committed')
  const views = await store.views.read(set, keys)
  expect(views.size).toBe(9_001)
  expect(views.get('customer-9000')).toMatchObject({ json: '{"spend":9000}', revision: 1 })
  const page = await store.views.page(projection, { orderBy: 'spend', descending: true, limit: 5_000 })
  expect(page).toMatchObject({ found: { next: { key: 'customer-4001', figure: 4_001 } } })
  const all = await store.views.page(projection, { descending: false, limit: 9_001 })
  expect(all.outcome === 'found' && all.found.next).toBeUndefined()

  expect(await store.outbox.unpublished(set, 10_000)).toHaveLength(9_001)
  await store.outbox.markPublished(
    set,
    keys.map((key) => ({ key, revision: 1 })),
  )
  expect(await store.outbox.unpublished(set, 10_000)).toEqual([])
  const deletions = keys.map((key) => change(key, 0, { expected: 1, json: null, indexes: {} }))
  expect(await commit(store, 1, 2, deletions)).toBe('committed')
  expect((await store.generations.list(projection))[0]).toMatchObject({ views: 0, unpublished: 9_001 })
  expect(await kindsOf(redis)).toEqual(['g1:checkpoints', 'g1:meta', 'g1:unpublished', 'generations'])
})

test('figures and offsets keep their full precision', async () => {
  const { store } = await open()
  const figures = [-1.7976931348623157e308, -1e21, -0.30000000000000004, 0, 5e-324, 0.1, 2 ** 53 - 1, 1e21]
  const last = Number.MAX_SAFE_INTEGER
  const changes = figures.map((figure, n) => change(`k${n}`, figure))
  expect(await commit(store, undefined, last - 1, changes)).toBe('committed')
  expect(await commit(store, last - 2, last, [])).toBe('checkpoint-moved')
  expect(await commit(store, last, last, [])).toBe('checkpoint-moved')
  expect(await commit(store, last - 1, last, [])).toBe('committed')
  let cursor: { key: string; figure?: number } | undefined
  for (const [n, figure] of figures.slice(0, -1).entries()) {
    const query = { orderBy: 'spend', descending: false, limit: 1, ...(cursor && { cursor }) }
    const page = await store.views.page(projection, query)
    if (page.outcome !== 'found') throw new Error(page.outcome)
    expect(page.found.views.map(({ key }) => key)).toEqual([`k${n}`])
    expect(page.found.next).toEqual({ key: `k${n}`, figure })
    cursor = page.found.next
  }
})

test('a page continues among equal figures by bytes, even if the cursor’s view is deleted', async () => {
  const { store } = await open()
  const keys = ['a', 'aB', 'aa', 'ab', 'b', 'z', 'é', '\u{ffee}', '\u{1f600}']
  await commit(store, undefined, 1, [
    change('low', 1),
    ...keys.map((key) => change(key, 7)),
    change('top', 8),
  ])
  for (const [n, gone] of keys.entries()) {
    const view = (await store.views.read(set, [gone])).get(gone)
    const deletion = { expected: view?.revision ?? 0, json: null, indexes: {} }
    await commit(store, 2 * n + 1, 2 * n + 2, [change(gone, 0, deletion)])
    const after = async (descending: boolean) => {
      const cursor = { key: gone, figure: 7 }
      const page = await store.views.page(projection, { orderBy: 'spend', descending, limit: 99, cursor })
      return page.outcome === 'found' ? page.found.views.map(({ key }) => key) : page.outcome
    }
    expect(await after(false)).toEqual([...keys.slice(n + 1), 'top'])
    expect(await after(true)).toEqual([...keys.slice(0, n).reverse(), 'low'])
    await commit(store, 2 * n + 2, 2 * n + 3, [change(gone, 9)])
    expect(await after(false)).toEqual([...keys.slice(n + 1), 'top', gone])
    const moved = (await store.views.read(set, [gone])).get(gone)?.revision ?? 0
    await commit(store, 2 * n + 3, 2 * n + 3, [change(gone, 7, { expected: moved })])
  }
})

test('while Redis is down all calls fail as unavailable; with its file it comes back unchanged', async () => {
  const server = await ownRedis()
  const store = new RedisViewStore(await openRedis(server.url))
  await store.generations.add(projection, generation('g1'))
  await fill(store)
  await server.stop()
  const calls = [
    () => store.generations.list(projection),
    () => store.views.read(set, ['a']),
    () => commit(store, 2, 3, [change('c', 1)]),
    () => store.views.find(projection, 'a'),
  ]
  for (const call of calls) {
    await expect(call()).rejects.toThrow(ViewStoreUnavailableError)
    await expect(call()).rejects.toThrow(`the view store does not answer: Redis at 127.0.0.1:${server.port}`)
  }
  await server.start()
  const answer = () => commit(store, 2, 3, [change('c', 1)]).catch(() => undefined)
  expect(await waitFor('Redis answers again', answer)).toBe('committed')
  expect([...(await store.views.read(set, ['a', 'b', 'c'])).keys()]).toEqual(['a', 'b', 'c'])
})

test('a Redis without free memory refuses the whole commit', async () => {
  const { url } = await ownRedis({ maxMemory: '3mb' })
  const store = new RedisViewStore(await openRedis(url))
  await store.generations.add(projection, generation('g1'))
  const step = (n: number) =>
    commit(
      store,
      n === 0 ? undefined : n,
      n + 1,
      Array.from({ length: 500 }, (_, view) => change(`${n}-${view}`, view)),
    )
  let done = 0
  let answer: string
  // Not the same step again: it might fit, because Redis frees memory gradually.
  while ((answer = await step(done).catch(String)) === 'committed') done += 1
  expect(answer).toContain('OOM')
  expect((await store.generations.list(projection))[0]).toMatchObject({
    checkpoints: new Map([['eventstore.order:3', done]]),
    views: 500 * done,
    unpublished: 500 * done,
  })
  expect(done).toBeGreaterThan(0)
})

test('closing the store leaves the connection to its owner', async () => {
  const { redis, store } = await open()
  await store.close()
  expect(String(await redis.call('PING', []))).toBe('PONG')
})
