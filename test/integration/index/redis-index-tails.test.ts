import { expect, test } from 'vitest'

import { type Version } from '#domain'

import {
  claimed,
  entries,
  entry,
  held,
  indexOptions,
  keysOf,
  openRedis,
  order,
  payloadsOf,
  placesOf,
} from '../../support/index/redis-index.ts'
import { testStack } from '../../support/stack/stack.ts'

const connect = () => openRedis(testStack().redisUrl)
const snapshot = (version: number, stateVersion = 1) => ({
  version: version as Version,
  stateVersion,
  timestampMs: 5,
  state: Buffer.from(`state ${version}`),
})

test('a tail keeps the last events and is cut before it has twice the configured number', async () => {
  const run = await claimed(await connect(), { tailEventsMax: 10 })
  let { guard } = run
  for (let version = 1; version <= 95; version += 1) {
    guard = held(await run.index.commit(guard, entries('a', version, version, version - 1), version))
    const { tail, firstTailVersion } = held(await run.index.load(guard, order('a')))
    expect(firstTailVersion + tail.length - 1).toBe(version)
    expect(tail.length).toBeGreaterThanOrEqual(Math.min(10, version))
    expect(tail.length).toBeLessThan(20)
  }
})

test('an evicted tail is reported as missing, and restarts with the next event', async () => {
  const redis = await connect()
  const { index, guard } = await claimed(redis)
  const all = entries('a', 1, 6, 0)
  const after = held(await index.commit(guard, all.slice(0, 4), 4))
  await redis.call('UNLINK', [`{${redis.keyPrefix}:eventstore.order:3}t:a`])
  const recent = new Array(4).fill(undefined)
  const loaded = held(await index.load(after, order('a')))
  const older = { fromVersion: 1, recent, placesOf: loaded.missing?.events.placesOf }
  expect(older.placesOf?.(1, 4)).toEqual(placesOf(all.slice(0, 4)))
  expect(loaded).toEqual({
    version: 4,
    tail: [],
    firstTailVersion: 5,
    missing: { from: 1, to: 4, events: older },
  })
  const later = held(await index.commit(after, all.slice(4), 6))
  expect(held(await index.load(later, order('a')))).toMatchObject({
    tail: payloadsOf(all.slice(4)),
    missing: { from: 1, to: 4 },
  })
  const expected = [undefined, undefined, ...payloadsOf(all.slice(4))]
  expect(held(await index.events(later, order('a'), 3, 6)).recent).toEqual(expected)

  await index.cacheStream(later, order('a'), 1, payloadsOf(all.slice(0, 5)))
  expect(held(await index.load(later, order('a')))).toEqual({
    version: 6,
    tail: payloadsOf(all),
    firstTailVersion: 1,
  })
})

test('keys that can be read from the log expire, the others do not', async () => {
  const redis = await connect()
  const { index, guard } = await claimed(redis, { tailTtlSeconds: 60 })
  const after = held(await index.commit(guard, entries('a', 1, 2, 0), 2))
  await index.saveSnapshot(order('a'), snapshot(1))
  await index.cacheStream(after, order('a'), 1, [])
  const ttls = await Promise.all(
    (await keysOf(redis)).map(async (key) => [key.split('}')[1], await redis.call('TTL', [key])] as const),
  )
  for (const [key, ttl] of ttls) {
    if (/^[tsr]:/.test(key ?? ''))
      expect(ttl, key).toSatisfy((seconds: number) => seconds > 50 && seconds <= 60)
    else expect(ttl, key).toBe(-1)
  }
  expect(ttls.map(([key]) => key)).toEqual(['guard', 'ids:0', 'r:a', 's:a', 'streams', 't:a'])
})

test('a tail’s expiry counts from its last event, even when it is cut', async () => {
  const redis = await connect()
  const run = await claimed(redis, { tailEventsMax: 3 })
  let { guard } = run
  const key = `{${redis.keyPrefix}:eventstore.order:3}t:a`
  for (let version = 1; version <= 7; version += 1) {
    guard = held(await run.index.commit(guard, entries('a', version, version, version - 1), version))
    expect(await redis.call('TTL', [key])).toBeGreaterThan(50)
    await redis.call('EXPIRE', [key, 10])
  }
})

test('events older than a tail’s lifetime do not enter it, and end the existing one', async () => {
  const redis = await connect()
  const { index, guard } = await claimed(redis)
  const old = Date.now() - indexOptions.tailTtlSeconds * 1_000 - 1
  const first = held(await index.commit(guard, entries('a', 1, 2, 0), 2))
  const second = held(await index.commit(first, [entry('a', 3, 2, { timestampMs: old })], 3))
  expect(held(await index.load(second, order('a')))).toMatchObject({ version: 3, tail: [] })
  const mixed = [entry('a', 4, 3, { timestampMs: old }), entry('a', 5, 4)]
  const third = held(await index.commit(second, mixed, 5))
  expect(held(await index.load(third, order('a')))).toMatchObject({
    version: 5,
    tail: payloadsOf(mixed.slice(1)),
    firstTailVersion: 5,
  })
})

test('the newest snapshot is kept, by state version, then by version, and never one ahead of its stream', async () => {
  const { index, guard } = await claimed(await connect())
  const after = held(await index.commit(guard, entries('a', 1, 9, 0), 9))
  const save = (version: number, stateVersion: number) =>
    index.saveSnapshot(order('a'), snapshot(version, stateVersion))
  expect(await save(10, 1)).toBe(false)
  expect(await save(5, 1)).toBe(true)
  expect(await save(5, 1)).toBe(true)
  expect(await save(4, 1)).toBe(false)
  expect(await save(3, 2)).toBe(true)
  expect(await save(9, 1)).toBe(false)
  expect(await index.saveSnapshot(order('b'), snapshot(1))).toBe(false)
  expect(held(await index.load(after, order('a'), { stateVersion: 1 })).snapshot).toBeUndefined()
  expect(held(await index.load(after, order('a')))).not.toHaveProperty('snapshot')
  expect(held(await index.load(after, order('a'), { stateVersion: 2 })).snapshot).toEqual(snapshot(3, 2))
})

test('a read gets no offsets of full chunks for events that the tail has', async () => {
  const { index, guard } = await claimed(await connect(), { tailEventsMax: 200 })
  const after = held(await index.commit(guard, entries('a', 1, 300, 0), 300))
  const { firstTailVersion } = held(await index.load(after, order('a')))
  expect(firstTailVersion).toBeLessThanOrEqual(129)
  const covered = held(await index.events(after, order('a'), 129, 300))
  expect(covered.recent).not.toContain(undefined)
  expect(covered.placesOf(129, 256)).toEqual([])
  const missed = held(await index.events(after, order('a'), 1, 300))
  expect(missed.placesOf(1, firstTailVersion - 1)).toHaveLength(firstTailVersion - 1)
})

test('a snapshot replaces the events it covers', async () => {
  const { index, guard } = await claimed(await connect())
  const all = entries('a', 1, 9, 0)
  const after = held(await index.commit(guard, all, 9))
  await index.saveSnapshot(order('a'), snapshot(7))
  expect(held(await index.load(after, order('a'), { stateVersion: 1 }))).toEqual({
    version: 9,
    snapshot: snapshot(7),
    tail: payloadsOf(all.slice(7)),
    firstTailVersion: 8,
  })
  const { missing } = held(await index.load(after, order('a')))
  expect(missing).toMatchObject({ from: 1, to: 7, events: { fromVersion: 1 } })
  expect(missing?.events.placesOf(1, 7)).toEqual(placesOf(all.slice(0, 7)))
  await index.saveSnapshot(order('a'), snapshot(9))
  const done = { version: 9, snapshot: snapshot(9), tail: [], firstTailVersion: 10 }
  expect(held(await index.load(after, order('a'), { stateVersion: 1 }))).toEqual(done)
})
