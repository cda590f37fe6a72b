import type { Config } from '#config'
import type { DomainModule } from '#domain'
import { KafkaCluster } from '#kafka'
import { withBuiltIns } from '#projections'
import { connectRedis, type RedisConnection } from '#redis-index'
import type { EventCodec } from '#schemas'

import { kafkaSettings, redisSettings } from './connection-settings.ts'
import { loadDomain } from './load-domain.ts'
import { openCodec } from './open-codec.ts'

/** The connections of a maintenance tool. Opening them creates and registers nothing. */
export interface Connections {
  readonly domain: DomainModule
  readonly cluster: KafkaCluster
  readonly redis: RedisConnection
}

/** The connections of a tool that reads events. */
export interface ReadingBackends extends Connections {
  readonly codec: EventCodec
}

/**
 * Calls `use` with connections and closes them afterwards.
 * @throws InvalidInputError, ConfigError, LogError, IndexUnavailableError, and what `use` throws
 */
export async function withConnections<T>(
  config: Config,
  use: (connections: Connections) => Promise<T>,
): Promise<T> {
  const domain = withBuiltIns(await loadDomain(config.domain.modules), config.projector.builtIn)
  const cluster = await KafkaCluster.connect(kafkaSettings(config))
  const redis = connectRedis(redisSettings(config))
  try {
    await redis.ready()
    return await use({ domain, cluster, redis })
  } finally {
    redis.close()
    await cluster.close()
  }
}

/** Like {@link withConnections}, with a codec. @throws SchemaError, and what {@link withConnections} throws. */
export const withReadingBackends = <T>(
  config: Config,
  use: (backends: ReadingBackends) => Promise<T>,
): Promise<T> =>
  withConnections(config, async (connections) =>
    use({ ...connections, codec: await openCodec(config, connections.domain, { push: false }) }),
  )
