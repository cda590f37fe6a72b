import { expect, test } from 'vitest'

import { type Version } from '#domain'

import {
  claimed,
  entries,
  held,
  keysOf,
  openRedis,
  order,
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

test('snapshots expire, the other keys of an index do not', async () => {
  const redis = await connect()
  const { index, guard } = await claimed(redis, { snapshotTtlSeconds: 60 })
  held(await index.commit(guard, entries('a', 1, 2, 0), 2))
  await index.saveSnapshot(order('a'), snapshot(1))
  const ttls = await Promise.all(
    (await keysOf(redis)).map(async (key) => [key.split('}')[1], await redis.call('TTL', [key])] as const),
  )
  for (const [key, ttl] of ttls) {
    if (key?.startsWith('s:') === true)
      expect(ttl, key).toSatisfy((seconds: number) => seconds > 50 && seconds <= 60)
    else expect(ttl, key).toBe(-1)
  }
  expect(ttls.map(([key]) => key)).toEqual(['guard', 's:a', 'segment:0', 'segments', 'streams'])
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
  expect(held(await index.stream(after, order('a'), { stateVersion: 1 })).snapshot).toBeUndefined()
  expect(held(await index.stream(after, order('a')))).not.toHaveProperty('snapshot')
  expect(held(await index.stream(after, order('a'), { stateVersion: 2 })).snapshot).toEqual(snapshot(3, 2))
})

test('a snapshot replaces the events it covers', async () => {
  const { index, guard } = await claimed(await connect())
  const all = entries('a', 1, 9, 0)
  const after = held(await index.commit(guard, all, 9))
  await index.saveSnapshot(order('a'), snapshot(7))
  const read = async (query: Parameters<typeof index.stream>[2]) =>
    held(await index.stream(after, order('a'), query))
  expect(await read({ stateVersion: 1 })).toEqual({
    version: 9,
    snapshot: snapshot(7),
    places: placesOf(all.slice(7)),
  })
  expect(await read({})).toEqual({ version: 9, places: placesOf(all) })
  expect(await read({ stateVersion: 1, from: 9 })).toEqual({
    version: 9,
    snapshot: snapshot(7),
    places: placesOf(all.slice(8)),
  })
  await index.saveSnapshot(order('a'), snapshot(9))
  expect(await read({ stateVersion: 1 })).toEqual({ version: 9, snapshot: snapshot(9), places: [] })
})
