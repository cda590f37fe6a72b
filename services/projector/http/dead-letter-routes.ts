import { parsePosition, type Position } from '#domain'
import { parseRequest } from '#event-store'
import { audited, type HttpRoutes, onProjection, problemResponses } from '#http'
import type { ProjectionsApi } from '#projections'

import {
  deadLettersQuery,
  deadLettersSchema,
  dropBody,
  dropSchema,
  projectionParams,
  retryBody,
  retrySchema,
} from './schemas.ts'

const operating = onProjection('operate')

const common = { tags: ['dead letters'], params: projectionParams }
const failures = problemResponses('invalid-request', 'projection-not-found', 'unavailable')

const listSchema = {
  ...common,
  summary: 'Parked events that could not be applied, oldest first',
  querystring: deadLettersQuery,
  response: { 200: deadLettersSchema, ...failures },
}
const retryRoute = {
  ...common,
  summary: 'Retry parked events, each once',
  body: retryBody,
  response: { 200: retrySchema, ...failures },
}
const dropRoute = {
  ...common,
  summary: 'Drop parked events permanently',
  body: dropBody,
  response: { 200: dropSchema, ...failures },
}

export const deadLetterRoutes = (api: ProjectionsApi): HttpRoutes =>
  function routes(app) {
    app.get(
      '/projections/:name/dead-letters',
      { schema: listSchema, config: { access: operating } },
      async ({ params, query }) => ({
        deadLetters: await api.deadLetters(params.name, query),
      }),
    )
    app.post(
      '/projections/:name/dead-letters/retry',
      { schema: retryRoute, config: { access: audited(operating) } },
      ({ params, body: { positions } }) =>
        api.retryDeadLetters(params.name, positions && parsePositions(positions)),
    )
    app.post(
      '/projections/:name/dead-letters/drop',
      { schema: dropRoute, config: { access: audited(operating) } },
      ({ params, body }) => api.dropDeadLetters(params.name, parsePositions(body.positions)),
    )
    return Promise.resolve()
  }

const parsePositions = (tokens: readonly string[]): readonly Position[] =>
  tokens.map((token) => parseRequest(() => parsePosition(token)))
