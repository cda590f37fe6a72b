import { onTestFinished } from 'vitest'

import { createHttpServer, type HttpServer, type HttpServerOptions } from '#http'
import { createLogger, createMetrics, HealthRegistry } from '#observability'

/** A server with the routes that every service has and no others. Closed after the test. */
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
