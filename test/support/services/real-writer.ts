import type { Config } from '#config'

import { startWriterService, type WriterService } from '../../../services/writer/index.ts'
import { type FreshDomain, freshDomain } from './fresh-domain.ts'
import { type RealParts, startReal } from './real-service.ts'
import { testStack, uniqueName } from '../stack/stack.ts'

/** A separate installation on the shared stack, with its own topics, keys and groups. Its writers share the partitions. */
export interface Installation {
  readonly domain: FreshDomain
  /** The first of the domain's aggregate types. */
  readonly type: string
  readonly env: Readonly<Record<string, string>>
}

export function installation(env: Readonly<Record<string, string>> = {}, typeCount = 1): Installation {
  const { kafkaBrokers, redisUrl, registryUrl } = testStack()
  const domain = freshDomain(typeCount)
  const name = uniqueName('test')
  return {
    domain,
    type: domain.types[0] ?? '',
    env: {
      ANNALS_KAFKA_BROKERS: kafkaBrokers.join(','),
      ANNALS_REDIS_URL: redisUrl,
      ANNALS_REDIS_KEY_PREFIX: name,
      ANNALS_REGISTRY_URL: registryUrl,
      ANNALS_WRITER_GROUP: name,
      ANNALS_PROJECTOR_GROUP: `${name}-projector`,
      ANNALS_SNAPSHOTTER_GROUP: `${name}-snapshotter`,
      ANNALS_DOMAIN: domain.modulePath,
      ANNALS_SCHEMAS: domain.schemaFolder,
      ...env,
    },
  }
}

export type RealWriter = WriterService & RealParts

/**
 * A writer in this process.
 * @param beyond writer settings outside the configuration's bounds.
 */
export const startRealWriter = (
  { env }: Installation,
  beyond: Partial<Config['writer']> = {},
): Promise<RealWriter> =>
  startReal(env, startWriterService, (config) => ({ ...config, writer: { ...config.writer, ...beyond } }))
