import { abortable } from '#async'
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
 * @param signal ends the opening of connections. `use` must observe it itself.
 * @throws InvalidInputError, ConfigError, LogError, IndexUnavailableError, and what `use` throws; the reason of the signal if it
 *   aborts before `use` is called
 */
export async function withConnections<T>(
  config: Config,
  use: (connections: Connections) => Promise<T>,
  signal = new AbortController().signal,
): Promise<T> {
  const domain = withBuiltIns(await loadDomain(config.domain.modules), config.projector.builtIn)
  const cluster = await KafkaCluster.connect(kafkaSettings(config), { signal })
  const redis = connectRedis(redisSettings(config))
  try {
    await abortable(signal, () => redis.ready())
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
  signal = new AbortController().signal,
): Promise<T> =>
  withConnections(
    config,
    async (connections) => {
      const open = () => openCodec(config, connections.domain, { push: false })
      return use({ ...connections, codec: await abortable(signal, open) })
    },
    signal,
  )
