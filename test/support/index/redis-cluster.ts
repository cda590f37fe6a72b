import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll } from 'vitest'

import { type RedisCluster, startRedisCluster } from '../../../scripts/stack/index.ts'

/** Starts a Redis Cluster for all tests of a file, and stops it after them. Await it at the top level of the file. */
export async function redisClusterForFile(): Promise<RedisCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-redis-cluster-'))
  const cluster = await startRedisCluster({ folder })
  afterAll(async () => {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return cluster
}

/** The URLs of all nodes, as the setting takes them. */
export const clusterUrl = ({ nodes }: RedisCluster): string => nodes.map(({ url }) => url).join(',')
