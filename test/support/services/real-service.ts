import pino from 'pino'
import { Registry } from 'prom-client'

import { type Config, loadConfig } from '#config'
import { HealthRegistry } from '#observability'
import { type Backends, openBackends, openProtection, type RunningService, type ServiceParts } from '#service'

import { freePorts } from '../../../scripts/stack/index.ts'

/** The parts of a service in a test. */
export interface RealParts {
  readonly config: Config
  readonly backends: Backends
  readonly metrics: Registry
  /** Stops the service and closes all of its connections. */
  close(): Promise<void>
}

/**
 * A service in this process, with its own connections, listening on a free port.
 * @param beyond sets values outside the configuration's bounds.
 */
export async function startReal<Service extends RunningService>(
  env: Readonly<Record<string, string>>,
  start: (parts: ServiceParts) => Promise<Service>,
  beyond: (config: Config) => Config = (config) => config,
): Promise<Service & RealParts> {
  const [port] = await freePorts(1)
  const config = beyond(loadConfig({ ...env, ANNALS_PORT: String(port) }))
  const backends = await openBackends(config)
  const metrics = new Registry()
  const logger = pino({ level: process.env['ANNALS_TEST_LOG'] ?? 'silent' })
  const health = new HealthRegistry()
  const { cluster } = backends
  const protection = await openProtection({ name: 'test', config, cluster, health, metrics, logger })
  const service = await start({ config, backends, health, metrics, logger, protection })
  const close = async () => {
    await service.stop()
    await protection.close()
    await backends.close()
  }
  return { ...service, config, backends, metrics, close }
}
