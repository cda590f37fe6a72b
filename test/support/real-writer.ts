import pino from 'pino'
import { Registry } from 'prom-client'

import { type Config, loadConfig } from '#config'
import { HealthRegistry } from '#observability'
import { type Backends, openBackends } from '#service'

import { freePorts } from '../../scripts/stack/index.ts'
import { startWriterService, type WriterService } from '../../services/writer/index.ts'
import { type FreshDomain, freshDomain } from './fresh-domain.ts'
import { testStack, uniqueName } from './stack.ts'

/** An installation of its own on the shared stack: its topics, its keys, its group. Writers of one share the partitions. */
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

export interface RealWriter extends WriterService {
  readonly config: Config
  readonly backends: Backends
  readonly metrics: Registry
  /** Stops the writer and closes all of its connections. */
  close(): Promise<void>
}

/**
 * A writer in this process, with connections of its own, listening on a free port.
 * @param beyond settings of the writer that the configuration's bounds would not let through.
 */
export async function startRealWriter(
  { env }: Installation,
  beyond: Partial<Config['writer']> = {},
): Promise<RealWriter> {
  const [port] = await freePorts(1)
  const loaded = loadConfig({ ...env, ANNALS_PORT: String(port) })
  const config = { ...loaded, writer: { ...loaded.writer, ...beyond } }
  const backends = await openBackends(config)
  const metrics = new Registry()
  const service = await startWriterService({
    config,
    backends,
    health: new HealthRegistry(),
    metrics,
    logger: pino({ level: process.env['ANNALS_TEST_LOG'] ?? 'silent' }),
  })
  const close = async () => {
    await service.stop()
    await backends.close()
  }
  return { ...service, config, backends, metrics, close }
}
