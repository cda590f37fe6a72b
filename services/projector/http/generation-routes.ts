import type { Static } from '@sinclair/typebox'

import { parsePosition } from '#domain'
import { invalidRequest, parseRequest } from '#event-store'
import { type HttpRoutes, problemResponses } from '#http'
import type { ProjectionsApi, RebuildOptions } from '#projections'

import {
  generationParams,
  projectionParams,
  projectionSchema,
  projectionsSchema,
  rebuildBody,
  rebuildSchema,
  resumeSchema,
} from './schemas.ts'

const failures = ['projection-not-found', 'unavailable'] as const
const common = { tags: ['projections'], params: projectionParams }

const listSchema = {
  tags: ['projections'],
  summary: 'All projections',
  response: { 200: projectionsSchema, ...problemResponses('unavailable') },
}
const describeSchema = {
  ...common,
  summary: 'A projection: its generations, how far each is in each partition, and what stands still',
  response: { 200: projectionSchema, ...problemResponses(...failures) },
}
const rebuildRoute = {
  ...common,
  summary: 'Rebuild all views, or build them as they were at a time',
  description:
    'A new generation is built beside the serving one and takes over in one step when it has caught up. One with `untilTime` or `untilPosition` never serves: it is kept, for those who name it, until it is discarded.',
  body: rebuildBody,
  response: { 202: rebuildSchema, ...problemResponses('invalid-request', ...failures) },
}
const resumeRoute = {
  ...common,
  summary: 'Let stopped partitions go on',
  response: { 200: resumeSchema, ...problemResponses(...failures) },
}
const discardRoute = {
  tags: ['projections'],
  summary: 'Give up a generation that does not serve',
  params: generationParams,
  response: {
    204: { description: 'It is being taken away', type: 'null' },
    ...problemResponses('invalid-request', 'generation-not-found', ...failures),
  },
}

export const generationRoutes = (api: ProjectionsApi): HttpRoutes =>
  function routes(app) {
    app.get('/projections', { schema: listSchema }, async () => ({ projections: await api.list() }))
    app.get('/projections/:name', { schema: describeSchema }, ({ params }) => api.describe(params.name))
    app.post('/projections/:name/rebuild', { schema: rebuildRoute }, async ({ params, body }, reply) =>
      reply.code(202).send(await api.rebuild(params.name, rebuildOptions(body))),
    )
    app.post('/projections/:name/resume', { schema: resumeRoute }, ({ params }) => api.resume(params.name))
    app.delete('/projections/:name/generations/:id', { schema: discardRoute }, async ({ params }, reply) => {
      await api.discard(params.name, params.id)
      return reply.code(204).send()
    })
    return Promise.resolve()
  }

function rebuildOptions({ untilTime, untilPosition }: Static<typeof rebuildBody>): RebuildOptions {
  if (untilTime !== undefined && untilPosition !== undefined) {
    throw invalidRequest('untilPosition', 'untilTime and untilPosition are both given: expected one of them')
  }
  return {
    ...(untilTime !== undefined && { untilTime }),
    ...(untilPosition !== undefined && { untilPosition: parseRequest(() => parsePosition(untilPosition)) }),
  }
}
