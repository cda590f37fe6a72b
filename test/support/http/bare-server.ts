import { onTestFinished } from 'vitest'

import { createHttpServer, type HttpServer, type HttpServerOptions } from '#http'
import { createLogger, createMetrics, HealthRegistry } from '#observability'

/** What every service's server has, and no routes of its own. It closes after the test. */
export async function bareServer(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const app = await createHttpServer({
    logger: createLogger({ name: 'service', level: 'silent' }),
    health: new HealthRegistry(),
    metrics: createMetrics({ service: 'test', processMetrics: false }),
    title: 'Annals',
    version: '0.0.0',
    bodyLimitBytes: 10_000,
    ...options,
  })
  onTestFinished(() => app.close())
  return app
}
