import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { viewStoreContract } from '#projections/testing'
import { RedisViewStore } from '#projections-redis'
import { connectRedis } from '#redis-index'

import { type RedisCluster, startRedisCluster } from '../../../scripts/stack/index.ts'
import { openRedis, patientMs } from '../../support/index/redis-index.ts'
import { uniqueName } from '../../support/stack/stack.ts'

let folder: string
let cluster: RedisCluster

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'annals-redis-cluster-'))
  cluster = await startRedisCluster({ folder })
})
afterAll(async () => {
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
})

const clusterUrl = () => cluster.nodes.map(({ url }) => url).join(',')

viewStoreContract('Redis Cluster', async (clock) => {
  const keyPrefix = uniqueName('views')
  const redis = connectRedis({ url: clusterUrl(), keyPrefix, commandTimeoutMs: patientMs })
  await redis.ready(patientMs)
  return {
    store: new RedisViewStore(redis, clock),
    loseAll: async () => {
      for (const { url } of cluster.nodes) await (await openRedis(url)).call('FLUSHALL', [])
    },
    teardown: () => {
      redis.close()
      return Promise.resolve()
    },
  }
})

test('projections spread over the nodes, each with all its keys on one node', async () => {
  const redis = await openRedis(clusterUrl())
  const store = new RedisViewStore(redis)
  const projections = Array.from({ length: 16 }, (_, n) => ({ name: `spend-${n}`, indexNames: ['spend'] }))
  const definition = { viewVersion: 1, indexNames: ['spend'], createdAtMs: 1, topicIds: {}, range: {} }
  for (const projection of projections) {
    await store.generations.add(projection, { id: 'g1', ...definition })
    await store.generations.add(projection, { id: 'g2', ...definition })
    const changes = [{ key: 'a', expected: 0, json: '{}', indexes: { spend: 1 }, changedAtMs: 1 }]
    const source = { topic: 'eventstore.order', partition: 0 }
    const commit = { source, from: undefined, to: 1, changes, parked: [] }
    for (const generation of ['g1', 'g2']) {
      expect(await store.views.commit({ projection, generation }, commit)).toBe('committed')
    }
  }
  const nodes = await Promise.all(
    cluster.nodes.map(async ({ url }) => {
      const keys = (await (await openRedis(url)).call('KEYS', [`{${redis.keyPrefix}:p:*`])) as Buffer[]
      return keys.map((key) => /:p:(.*)}/.exec(String(key))?.[1])
    }),
  )
  const keysEach = 1 + 2 * ['meta', 'checkpoints', 'views', 'order', 'unpublished', 'index:spend'].length
  for (const { name } of projections) {
    const counts = nodes.map((names) => names.filter((held) => held === name).length)
    expect(counts.sort((one, other) => one - other)).toEqual([0, 0, keysEach])
  }
  expect(nodes.filter((names) => names.length > 0).length).toBeGreaterThan(1)
})
