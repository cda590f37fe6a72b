import type { Config } from '#config'
import type { DomainModule } from '#domain'
import { KafkaCluster } from '#kafka'
import { withBuiltIns } from '#projections'
import { connectRedis, type RedisConnection } from '#redis-index'
import type { EventCodec } from '#schemas'

import { kafkaSettings, redisSettings } from './connection-settings.ts'
import { loadDomain } from './load-domain.ts'
import { openCodec } from './open-codec.ts'

/** What a tool stands on that looks at an installation: as a service's, but nothing was made or registered. */
export interface ReadingBackends {
  readonly domain: DomainModule
  readonly cluster: KafkaCluster
  readonly redis: RedisConnection
  readonly codec: EventCodec
}

/**
 * Does something with connections that are closed afterwards.
 * @throws InvalidInputError, ConfigError, SchemaError, LogError, IndexUnavailableError, and what `use` throws.
 */
export async function withReadingBackends<T>(
  config: Config,
  use: (backends: ReadingBackends) => Promise<T>,
): Promise<T> {
  const domain = withBuiltIns(await loadDomain(config.domain.modules), config.projector.builtIn)
  const cluster = await KafkaCluster.connect(kafkaSettings(config))
  const redis = connectRedis(redisSettings(config))
  try {
    await redis.ready()
    const codec = await openCodec(config, domain, { push: false })
    return await use({ domain, cluster, redis, codec })
  } finally {
    redis.close()
    await cluster.close()
  }
}
