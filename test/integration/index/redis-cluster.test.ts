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
  payloadsOf,
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
      { streamId: order('a'), eventIds: [] },
      { streamId: order('b'), eventIds: [known.eventId] },
    ]
    expect(held(await index.check(after, asks))).toEqual({
      versions: [300, 1],
      known: [new Map(), new Map([[known.eventId, { version: 1, offset: 300 }]])],
    })
    await index.saveSnapshot(order('a'), state)
    await index.cacheStream(after, order('b'), 1, payloadsOf([known]))
    expect(held(await index.load(after, order('a'), { stateVersion: 1 })).tail).toHaveLength(10)
    expect(held(await index.events(after, order('b'), 1, 1)).recent).toEqual(payloadsOf([known]))
    expect(held(await index.events(after, order('a'), 128, 129)).placesOf(128, 129)).toHaveLength(2)
    expect(await index.info(after, order('a'))).toMatchObject({ version: 300, snapshotVersion: 290 })
  }

  const nodes = await keysByNode(redis.keyPrefix)
  const names = ['chunks', 'guard', 'ids:0', 'r:b', 's:a', 'streams', 't:a', 't:b']
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
