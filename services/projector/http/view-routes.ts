import type { Static } from '@sinclair/typebox'

import { parsePosition } from '#domain'
import { parseRequest } from '#event-store'
import { type HttpRoutes, onProjection, problemResponses } from '#http'
import type { ProjectionsApi, ViewOptions } from '#projections'

import {
  projectionParams,
  viewParams,
  viewQuery,
  viewSchema,
  viewsPageSchema,
  viewsQuery,
} from './schemas.ts'

const failures = [
  ...(['invalid-request', 'projection-not-found', 'generation-not-found'] as const),
  ...(['projection-behind', 'overloaded', 'unavailable'] as const),
] as const

const oneSchema = {
  tags: ['views'],
  summary: 'A view by its key',
  params: viewParams,
  querystring: viewQuery,
  response: { 200: viewSchema, ...problemResponses(...failures, 'view-not-found') },
}
const pageSchema = {
  tags: ['views'],
  summary: 'Views by key or by a declared index, page by page',
  params: projectionParams,
  querystring: viewsQuery,
  response: { 200: viewsPageSchema, ...problemResponses(...failures) },
}

export const viewRoutes = (api: ProjectionsApi): HttpRoutes =>
  function routes(app) {
    app.get(
      '/projections/:name/views/:key',
      { schema: oneSchema, config: { access: onProjection('view') } },
      ({ params, query }) => api.view(params.name, params.key, optionsOf(query)),
    )
    app.get(
      '/projections/:name/views',
      { schema: pageSchema, config: { access: onProjection('view') } },
      ({ params, query }) => {
        const { desc, orderBy, limit, cursor } = query
        return api.views(params.name, {
          ...optionsOf(query),
          ...(orderBy !== undefined && { orderBy }),
          ...(desc !== undefined && { descending: desc }),
          ...(limit !== undefined && { limit }),
          ...(cursor !== undefined && { cursor }),
        })
      },
    )
    return Promise.resolve()
  }

const optionsOf = ({ after, timeoutMs, generation }: Static<typeof viewQuery>): ViewOptions => ({
  ...(after !== undefined && { after: parseRequest(() => parsePosition(after)) }),
  ...(timeoutMs !== undefined && { timeoutMs }),
  ...(generation !== undefined && { generation }),
})
