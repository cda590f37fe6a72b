import { onTestFinished } from 'vitest'

import { connectRedis, type RedisConnection } from '#redis-index'

import type { Installation } from '../services/real-writer.ts'

/** A direct connection to the index of an installation; closed at the end of the test. */
export async function openIndex({ env }: Pick<Installation, 'env'>): Promise<RedisConnection> {
  const redis = connectRedis({
    url: env['ANNALS_REDIS_URL'] ?? '',
    keyPrefix: env['ANNALS_REDIS_KEY_PREFIX'] ?? '',
  })
  onTestFinished(() => redis.close())
  await redis.ready()
  return redis
}

/** All keys of the installation. */
export async function indexKeys(redis: RedisConnection): Promise<string[]> {
  return ((await redis.call('KEYS', [`{${redis.keyPrefix}:*`])) as Buffer[]).map(String).sort()
}
