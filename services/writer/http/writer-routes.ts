import { aggregateTypeOfTopic } from '#domain'
import type { AppendLimits } from '#event-store'
import { type HttpRoutes, problemResponses } from '#http'

import { appendRoutes } from './append-routes.ts'
import { categoryRoutes } from './category-routes.ts'
import { ownersSchema } from './schemas.ts'
import { streamRoutes } from './stream-routes.ts'
import type { WriterApi } from '../writer-api.ts'

const ownersRoute = {
  tags: ['operations'],
  summary: 'The owner of each partition',
  response: { 200: ownersSchema, ...problemResponses('unavailable') },
}

const defaultLimits: AppendLimits = { eventsPerAppendMax: 1_000 }

/** The routes of the writer, to be registered on a server of #http. @param limits of an append, as the writer has them. */
export const writerRoutes = (api: WriterApi, limits = defaultLimits): HttpRoutes =>
  async function routes(app) {
    await app.register(appendRoutes(api, limits))
    await app.register(streamRoutes(api))
    await app.register(categoryRoutes(api))
    app.get('/owners', { schema: ownersRoute, config: { access: 'authenticated' } }, async ({ caller }) => ({
      partitions: (await api.owners()).filter(({ topic }) =>
        caller.rights.touchesType(aggregateTypeOfTopic(topic)),
      ),
    }))
  }
