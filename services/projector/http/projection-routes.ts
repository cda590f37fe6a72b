import type { HttpRoutes } from '#http'

import { deadLetterRoutes } from './dead-letter-routes.ts'
import { generationRoutes } from './generation-routes.ts'
import { subscribeRoutes } from './subscribe-routes.ts'
import { viewRoutes } from './view-routes.ts'
import type { ProjectorApi } from '../projector-api.ts'

/** The routes of the projector, to be registered on a server of #http. */
export const projectionRoutes = (api: ProjectorApi): HttpRoutes =>
  async function routes(app) {
    await app.register(viewRoutes(api))
    await app.register(subscribeRoutes(api))
    await app.register(generationRoutes(api))
    await app.register(deadLetterRoutes(api))
  }
