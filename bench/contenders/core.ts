import pino from 'pino'
import { Registry } from 'prom-client'

import { type Config, loadConfig } from '#config'
import { streamIdOf } from '#domain'
import { HealthRegistry } from '#observability'
import { type Backends, openBackends } from '#service'

import { startWriterService, type WriterService } from '../../services/writer/index.ts'
import { appended } from '../domain/domain.ts'
import type { Contender } from './contender.ts'

/** A writer in this process. */
export interface RunningWriter {
  readonly service: WriterService
  readonly backends: Backends
  readonly config: Config
  readonly metrics: Registry
  readonly close: () => Promise<void>
}

export interface CoreWriter extends RunningWriter, Contender {}

/** Starts a writer in this process; callers use its core without HTTP. */
export async function startCore(env: Readonly<Record<string, string>>): Promise<CoreWriter> {
  const writer = await startWriter(env)
  const { local } = writer.service.writer
  return {
    ...writer,
    append: (stream) =>
      local.append(streamIdOf('bench-core', stream), [appended], { expectedVersion: 'no-stream' }),
  }
}

/** @param serving waits for its partitions; default: up to 30 s */
export async function startWriter(
  env: Readonly<Record<string, string>>,
  serving: (service: WriterService, metrics: Registry) => Promise<void> = untilServing,
): Promise<RunningWriter> {
  const metrics = new Registry()
  const config = loadConfig(env)
  const backends = await openBackends(config)
  const service = await startWriterService({
    config,
    backends,
    health: new HealthRegistry(),
    metrics,
    logger: pino({ level: 'warn' }),
  })
  await serving(service, metrics)
  return {
    service,
    backends,
    config,
    metrics,
    close: async () => {
      await service.stop()
      await backends.close()
    },
  }
}

/** Waits until a writer serves all partitions that it owns. */
async function untilServing({ writer }: WriterService): Promise<void> {
  const deadlineMs = performance.now() + 30_000
  for (;;) {
    try {
      if (writer.checkServing().owned > 0) return
    } catch (error) {
      if (performance.now() > deadlineMs) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
