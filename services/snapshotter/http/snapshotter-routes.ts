import type { Caller } from '#access'
import { parseAggregateType, parseStreamId } from '#domain'
import { parseRequest } from '#event-store'
import { audited, type HttpRoutes, onStream, onType, problemResponses } from '#http'
import { contextOf } from '#service'

import type { RoutedSnapshots } from '../routed-snapshots.ts'
import {
  cleanupSchema,
  snapshotRebuildSchema,
  snapshotsSchema,
  snapshotStreamParams,
  takenSchema,
  typeParams,
} from './schemas.ts'

const ofType = ['invalid-request', 'category-not-found', 'unavailable'] as const
const tags = ['snapshots']

const takeSchema = {
  tags,
  summary: 'Take a snapshot of a stream now',
  params: snapshotStreamParams,
  response: {
    201: takenSchema('Taken'),
    200: takenSchema('A snapshot of this version existed already'),
    ...problemResponses(...ofType, 'stream-not-found', 'invalid-state', 'not-owner'),
  },
}
const statisticsSchema = {
  tags,
  summary: 'Number, size and age of snapshots',
  response: { 200: snapshotsSchema, ...problemResponses('unavailable') },
}
const startRebuildSchema = {
  tags,
  summary: 'Rebuild all snapshots of an aggregate type from its events',
  description: 'Runs in the background. A request while a rebuild runs restarts it.',
  params: typeParams,
  response: { 202: snapshotRebuildSchema, ...problemResponses(...ofType) },
}
const progressSchema = {
  tags,
  summary: 'Progress of the rebuild of an aggregate type',
  params: typeParams,
  response: { 200: snapshotRebuildSchema, ...problemResponses(...ofType) },
}
const cleanUpSchema = {
  tags,
  summary: 'Remove snapshots of other state versions from their topic',
  params: typeParams,
  response: { 200: cleanupSchema, ...problemResponses(...ofType, 'not-owner') },
}

/** The routes of the snapshotter, to be registered on a server of #http. */
export const snapshotterRoutes = (api: RoutedSnapshots): HttpRoutes =>
  function routes(app) {
    app.post(
      '/streams/:id/snapshot',
      { schema: takeSchema, config: { access: onStream('operate') } },
      async (request, reply) => {
        const streamId = parseRequest(() => parseStreamId(request.params.id))
        const taken = await api.snapshot(streamId, contextOf(request))
        return reply.code(taken.created ? 201 : 200).send(taken)
      },
    )
    app.get(
      '/snapshots',
      { schema: statisticsSchema, config: { access: 'authenticated' } },
      async ({ caller }) => ({
        types: (await api.snapshots()).filter(({ aggregateType: type }) => mayOperate(caller, type)),
      }),
    )
    app.post(
      '/snapshots/:type/rebuild',
      { schema: startRebuildSchema, config: { access: audited(onType('operate')) } },
      async (request, reply) => reply.code(202).send(await api.rebuildSnapshots(typeOf(request.params))),
    )
    app.get(
      '/snapshots/:type/rebuild',
      { schema: progressSchema, config: { access: onType('operate') } },
      (request) => api.snapshotRebuild(typeOf(request.params)),
    )
    app.post(
      '/snapshots/:type/cleanup',
      { schema: cleanUpSchema, config: { access: audited(onType('operate')) } },
      (request) => api.cleanUpSnapshots(typeOf(request.params), contextOf(request)),
    )
    return Promise.resolve()
  }

const typeOf = ({ type }: { readonly type: string }): string => parseRequest(() => parseAggregateType(type))

const mayOperate = ({ rights }: Caller, type: string): boolean =>
  rights.decide('operate', { kind: 'type', type }).isAllowed
