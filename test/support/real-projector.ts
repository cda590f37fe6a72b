import pino from 'pino'
import { Registry } from 'prom-client'

import { type Config, loadConfig } from '#config'
import { HealthRegistry } from '#observability'
import { type Backends, openBackends } from '#service'

import { freePorts } from '../../scripts/stack/index.ts'
import { type ProjectorService, startProjectorService } from '../../services/projector/index.ts'
import type { Installation } from './real-writer.ts'

export interface RealProjector extends ProjectorService {
  readonly config: Config
  readonly backends: Backends
  readonly metrics: Registry
  /** Stops the projector and closes all of its connections. */
  close(): Promise<void>
}

/** A projector in this process, with connections of its own, listening on a free port. */
export async function startRealProjector(
  { env }: Installation,
  more: Readonly<Record<string, string>> = {},
): Promise<RealProjector> {
  const [port] = await freePorts(1)
  const config = loadConfig({ ...env, ...more, ANNALS_PORT: String(port) })
  const backends = await openBackends(config)
  const metrics = new Registry()
  const service = await startProjectorService({
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
