import type { Static } from '@sinclair/typebox'

import type { Caller } from '#access'
import { parsePosition } from '#domain'
import { invalidRequest, parseRequest } from '#event-store'
import { audited, type HttpRoutes, onProjection, problemResponses } from '#http'
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
const operating = audited(onProjection('operate'))

const common = { tags: ['projections'], params: projectionParams }

const listSchema = {
  tags: ['projections'],
  summary: 'All projections',
  response: { 200: projectionsSchema, ...problemResponses('unavailable') },
}
const describeSchema = {
  ...common,
  summary: 'A projection: its generations, their progress in each partition, and stopped partitions',
  response: { 200: projectionSchema, ...problemResponses(...failures) },
}
const rebuildRoute = {
  ...common,
  summary: 'Rebuild all views, or build the views of a past time',
  description:
    'A new generation is built next to the serving one and replaces it in one step when it has caught up. A generation with `untilTime` or `untilPosition` never serves by default: it is kept until it is discarded, and requests can name it.',
  body: rebuildBody,
  response: { 202: rebuildSchema, ...problemResponses('invalid-request', ...failures) },
}
const resumeRoute = {
  ...common,
  summary: 'Resume stopped partitions',
  response: { 200: resumeSchema, ...problemResponses(...failures) },
}
const discardRoute = {
  tags: ['projections'],
  summary: 'Discard a generation that is not serving',
  params: generationParams,
  response: {
    204: { description: 'The generation is being removed', type: 'null' },
    ...problemResponses('invalid-request', 'generation-not-found', ...failures),
  },
}

export const generationRoutes = (api: ProjectionsApi): HttpRoutes =>
  function routes(app) {
    app.get(
      '/projections',
      { schema: listSchema, config: { access: 'authenticated' } },
      async ({ caller }) => ({
        projections: (await api.list()).filter(({ name }) => maySee(caller, name)),
      }),
    )
    app.get(
      '/projections/:name',
      { schema: describeSchema, config: { access: onProjection('view', 'operate') } },
      ({ params }) => api.describe(params.name),
    )
    app.post(
      '/projections/:name/rebuild',
      { schema: rebuildRoute, config: { access: operating } },
      async ({ params, body }, reply) =>
        reply.code(202).send(await api.rebuild(params.name, rebuildOptions(body))),
    )
    app.post(
      '/projections/:name/resume',
      { schema: resumeRoute, config: { access: operating } },
      ({ params }) => api.resume(params.name),
    )
    app.delete(
      '/projections/:name/generations/:id',
      { schema: discardRoute, config: { access: operating } },
      async ({ params }, reply) => {
        await api.discard(params.name, params.id)
        return reply.code(204).send()
      },
    )
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

function maySee({ rights }: Caller, name: string): boolean {
  const projection = { kind: 'projection', name } as const
  return rights.decide('view', projection).isAllowed || rights.decide('operate', projection).isAllowed
}
