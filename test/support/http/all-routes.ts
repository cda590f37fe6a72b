import type { HttpRoute, HttpServer } from '#http'

import { projectionRoutes } from '../../../services/projector/index.ts'
import { snapshotterRoutes } from '../../../services/snapshotter/index.ts'
import { writerRoutes } from '../../../services/writer/index.ts'
import { type HttpWriter, type HttpWriterOptions, startHttp } from './http-writer.ts'

export interface AllRoutes extends HttpWriter {
  /** Registered routes of all services, with those of every server. */
  readonly routes: readonly HttpRoute[]
}

/** A server with the routes of all services and no services behind them: a request that reaches a handler is answered with 500. */
export async function startAllRoutes(options: HttpWriterOptions = {}): Promise<AllRoutes> {
  const routes: HttpRoute[] = []
  const prepare = (app: HttpServer) => {
    options.prepare?.(app)
    app.addHook('onRoute', (route) => void routes.push(route))
  }
  const all = async (app: Parameters<ReturnType<typeof writerRoutes>>[0]) => {
    for (const each of [writerRoutes, snapshotterRoutes, projectionRoutes])
      await app.register(each({} as never))
  }
  return { ...(await startHttp(all, { ...options, prepare })), routes }
}
