import { createHttpServer, type HttpRoutes, type HttpServer, type HttpServerOptions } from '#http'
import { createLogger, createMetrics, HealthRegistry } from '#observability'

import type { WriterApi } from '../../../services/writer/writer-api.ts'
import { writerRoutes } from '../../../services/writer/http/writer-routes.ts'

type Bounds =
  | 'subscribersMax'
  | 'unread'
  | 'bodyLimitBytes'
  | 'bodiesBytesMax'
  | 'requestsMax'
  | 'refusals'
  | 'requestTimeoutMs'
  | 'connectionsMax'
  | 'hosts'
  | 'guard'
  | 'tls'
  | 'limits'
  | 'limitRefusals'

export interface HttpWriterOptions extends Partial<Pick<HttpServerOptions, Bounds>> {
  readonly port?: number
  /** Runs before the server listens, to add hooks that inject failures. */
  readonly prepare?: (app: HttpServer) => void
}

export interface HttpWriter {
  readonly app: HttpServer
  readonly url: string
}

/** A real server on a free loopback port, with the writer's routes. Close `app` after use. */
export const startHttpWriter = (api: WriterApi, options?: HttpWriterOptions): Promise<HttpWriter> =>
  startHttp(writerRoutes(api), options)

/** A real server on a free loopback port, with other routes. Close `app` after use. */
export async function startHttp(routes: HttpRoutes, options: HttpWriterOptions = {}): Promise<HttpWriter> {
  const { port = 0, prepare, ...bounds } = options
  const health = new HealthRegistry()
  health.add({ name: 'service', kind: 'readiness', check: () => 'ok' })
  const app = await createHttpServer({
    logger: createLogger({ name: 'service', level: 'silent' }),
    health,
    metrics: createMetrics({ service: 'test', processMetrics: false }),
    title: 'Annals',
    version: '0.0.0',
    bodyLimitBytes: 1_000_000,
    ...bounds,
  })
  prepare?.(app)
  await app.register(routes)
  return { app, url: await app.listen({ host: '127.0.0.1', port }) }
}
