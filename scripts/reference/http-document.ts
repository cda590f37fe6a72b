import { pino } from 'pino'
import { Registry } from 'prom-client'

import { createHttpServer } from '#http'
import { version } from '#service'

import { projectionRoutes } from '../../services/projector/index.ts'
import { snapshotterRoutes } from '../../services/snapshotter/index.ts'
import { writerRoutes } from '../../services/writer/index.ts'
import type { HttpDocument } from './http-reference.ts'

/** The OpenAPI document of a platform: writer, snapshotter and projector together. */
export async function httpDocument(): Promise<HttpDocument> {
  const server = await createHttpServer({
    logger: pino({ level: 'silent' }),
    health: { isReady: () => false } as never,
    metrics: new Registry(),
    title: 'Annals',
    version,
    bodyLimitBytes: 1,
  })
  // Routes are only described here, never called.
  for (const routes of [writerRoutes, snapshotterRoutes, projectionRoutes])
    await server.register(routes({} as never))
  await server.ready()
  const document = server.swagger() as unknown as HttpDocument
  await server.close()
  return document
}
