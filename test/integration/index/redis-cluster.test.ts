import { expect, test } from 'vitest'

import type { Version } from '#domain'
import { catchUp, connectRedis, type RedisConnection } from '#redis-index'

import { clusterUrl, redisClusterForFile } from '../../support/index/redis-cluster.ts'
import {
  entries,
  entry,
  held,
  indexOf,
  openRedis,
  order,
  patientMs,
  placesOf,
  rememberedIdsOf,
  start,
  wholeLog,
} from '../../support/index/redis-index.ts'
import { uniqueName } from '../../support/stack/stack.ts'

const cluster = await redisClusterForFile()

/** The keys on each node, without their common prefix. */
async function keysByNode(keyPrefix: string): Promise<string[][]> {
  return Promise.all(
    cluster.nodes.map(async ({ url }) => {
      const node = await openRedis(url)
      const keys = (await node.call('KEYS', [`{${keyPrefix}:*`])) as Buffer[]
      return keys.map((key) => String(key).split(':eventstore.order:')[1] ?? '').sort()
    }),
  )
}

const eight = [0, 1, 2, 3, 4, 5, 6, 7]

async function fill(redis: RedisConnection): Promise<void> {
  await Promise.all(
    eight.map((partition) =>
      catchUp(indexOf(redis, { partition }), {
        ...wholeLog,
        topicId: 'topic-1',
        producerId: 1n,
        epoch: 1,
        endOffset: 300,
        read: async function* () {
          yield await Promise.resolve({ entries: entries('a', 1, 300, 0), nextOffset: 300 })
        },
      }),
    ),
  )
}

test('every call works on a cluster, and each partition has all its keys on one node', async () => {
  const redis = await openRedis(clusterUrl(cluster))
  await fill(redis)
  const state = { version: 290 as Version, stateVersion: 1, timestampMs: 1, state: Buffer.from('state') }
  for (const partition of eight) {
    const index = indexOf(redis, { partition })
    const guard = { ...start, nextOffset: 300 }
    const known = entry('b', 1, 300)
    const after = held(await index.commit(guard, [known], 301))
    const asks = [
      { streamId: order('a'), places: placesOf([known]) },
      { streamId: order('b'), places: placesOf([known]) },
    ]
    expect(held(await index.check(after, asks))).toEqual([
      { version: 300, places: [] },
      { version: 1, places: placesOf([known]) },
    ])
    await index.saveSnapshot(order('a'), state)
    expect(held(await index.stream(after, order('a'), { stateVersion: 1 })).places).toHaveLength(10)
    expect(held(await index.stream(after, order('b'))).places).toEqual(placesOf([known]))
    expect(held(await index.stream(after, order('a'), { from: 128, to: 129 })).places).toHaveLength(2)
    expect(await rememberedIdsOf(index, after)).toHaveLength(301)
    expect(await index.info(after, order('a'))).toMatchObject({ version: 300, snapshotVersion: 290 })
  }

  const nodes = await keysByNode(redis.keyPrefix)
  const names = ['chunks', 'guard', 's:a', 'segment:0', 'segments', 'streams']
  for (const partition of eight) {
    const places = nodes.filter((keys) => keys.some((key) => key.startsWith(`${partition}}`)))
    expect(places).toHaveLength(1)
    expect(places[0]?.filter((key) => key.startsWith(`${partition}}`))).toEqual(
      names.map((name) => `${partition}}${name}`),
    )
  }
  expect(nodes.filter((keys) => keys.length > 0).length).toBeGreaterThan(1)

  for (const partition of eight) await indexOf(redis, { partition }).drop()
  expect((await keysByNode(redis.keyPrefix)).flat()).toEqual([])
})

test('nodes that have lost the scripts get them again', async () => {
  const redis = await openRedis(clusterUrl(cluster))
  await fill(redis)
  for (const { url } of cluster.nodes) await (await openRedis(url)).call('SCRIPT', ['FLUSH'])
  const guard = { ...start, nextOffset: 300 }
  const answers = await Promise.all(
    eight.map((partition) => indexOf(redis, { partition }).commit(guard, entries('a', 301, 301, 300), 301)),
  )
  expect(answers).toEqual(eight.map(() => ({ ...guard, nextOffset: 301 })))
})

test('the address of one node is enough to find the others', async () => {
  const redis = connectRedis({
    url: cluster.nodes[1]?.url ?? '',
    keyPrefix: uniqueName('one'),
    cluster: true,
    commandTimeoutMs: patientMs,
  })
  try {
    await redis.ready(patientMs)
    await fill(redis)
    expect((await keysByNode(redis.keyPrefix)).flat()).toHaveLength(8 * 5)
  } finally {
    redis.close()
  }
})
