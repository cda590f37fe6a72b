import type { Logger } from 'pino'
import type { Registry } from 'prom-client'

import { checkServiceConfig, type Config, ConfigError, loadConfig } from '#config'
import { InvalidInputError } from '#domain'
import { LogError, Topics } from '#kafka'
import { createLogger, createMetrics, createShutdown, HealthRegistry, startTracing } from '#observability'
import { ViewStoreUnavailableError } from '#projections'
import { IndexUnavailableError } from '#redis-index'
import { SchemaError } from '#schemas'

import { type Backends, openBackends } from './backends.ts'
import { openProtection, type Protection } from './protection.ts'

/** What a service gets at its start. */
export interface ServiceParts {
  readonly config: Config
  readonly backends: Backends
  readonly health: HealthRegistry
  readonly metrics: Registry
  readonly logger: Logger
  /** Decides who may do what. Absent: everyone may do everything. */
  readonly protection?: Protection
}

export interface RunningService {
  readonly url: string
  stop(): Promise<void>
}

const healthTimeoutMs = 2_000

/**
 * Runs the process of a service: configuration from the environment, connections, start, and an orderly shutdown on
 * SIGINT or SIGTERM. A problem that the operator can fix is reported in one sentence, and the process exits with code
 * 2.
 * @param start starts the service itself; its connections are open by then
 */
export async function runService(
  name: string,
  start: (parts: ServiceParts) => Promise<RunningService>,
): Promise<void> {
  try {
    await startInOrder(name, start)
  } catch (error) {
    if (!isOperatorError(error)) throw error
    process.stderr.write(`${name} cannot start: ${error.message}\n`)
    process.exitCode = 2
  }
}

async function startInOrder(
  name: string,
  start: (parts: ServiceParts) => Promise<RunningService>,
): Promise<void> {
  const config = loadConfig(process.env)
  checkServiceConfig(config)
  const { level, pretty } = config.log
  const logger = createLogger({ name, level, pretty: pretty === 'auto' ? 'auto' : pretty === 'true' })
  const { enabled, samplePercent } = config.tracing
  const tracing = enabled ? await startTracing({ service: name, samplePercent, logger }) : undefined
  const backends = await openBackends(config, (warning) => {
    logger.warn(warning)
  })
  const health = new HealthRegistry()
  addBackendChecks(health, backends)
  const metrics = createMetrics({ service: name })
  const { cluster } = backends
  const protection = await openProtection({ name, config, cluster, health, metrics, logger })
  const parts = { config, backends, health, metrics, logger, protection }
  const service = await start(parts).catch(async (error: unknown) => {
    await protection.close()
    await backends.close()
    throw error
  })
  const shutdown = createShutdown({ logger })
  shutdown.onShutdown('traces', () => tracing?.stop())
  shutdown.onShutdown('connections', () => backends.close())
  shutdown.onShutdown('access', () => protection.close())
  shutdown.onShutdown(name, () => service.stop())
  logger.info(`${name} listens at ${service.url}`)
}

function addBackendChecks(health: HealthRegistry, { cluster, redis, topics }: Backends): void {
  const kafka = new Topics(cluster, healthTimeoutMs)
  health.add({
    name: 'kafka',
    kind: 'readiness',
    check: async () => ({ topics: (await kafka.describe(topics.map(({ name }) => name))).length }),
  })
  health.add({ name: 'redis', kind: 'readiness', check: () => redis.ready(healthTimeoutMs) })
}

/** Errors that say what the operator has to do. A stack would only hide that. */
const isOperatorError = (error: unknown): error is Error =>
  [
    ConfigError,
    InvalidInputError,
    SchemaError,
    LogError,
    IndexUnavailableError,
    ViewStoreUnavailableError,
  ].some((kind) => error instanceof kind)
