import { parseStreamId, type ReadOptions, type StreamId, type StreamPage } from '#domain'
import { invalidRequest, parseRequest } from '#event-store'
import { type HttpRoutes, onStream, problemResponses } from '#http'
import { contextOf } from '#service'

import {
  loadedStreamSchema,
  loadQuery,
  readQuery,
  stateQuery,
  stateSchema,
  streamInfoSchema,
  streamPageSchema,
  streamParams,
} from './schemas.ts'
import { toWireEvent } from './wire.ts'
import type { StatePoint, WriterApi } from '../writer-api.ts'

const failures = ['invalid-request', 'category-not-found', 'unavailable', 'not-owner'] as const
const common = { tags: ['streams'], params: streamParams }

const infoSchema = {
  ...common,
  summary: 'A stream: its version, the times of its first and last event, and its owner',
  response: { 200: streamInfoSchema, ...problemResponses(...failures, 'stream-not-found') },
}
const readSchema = {
  ...common,
  summary: 'Events of a stream, by version or time',
  querystring: readQuery,
  response: { 200: streamPageSchema, ...problemResponses(...failures) },
}
const loadSchema = {
  ...common,
  summary: 'The snapshot of a stream and the events after it, in one request',
  querystring: loadQuery,
  response: { 200: loadedStreamSchema, ...problemResponses(...failures) },
}
const stateAtSchema = {
  ...common,
  summary: 'The state of an aggregate: the current one, or at a version or time',
  querystring: stateQuery,
  response: {
    200: stateSchema,
    ...problemResponses(...failures, 'stream-not-found', 'version-not-found'),
  },
}

export const streamRoutes = (api: WriterApi): HttpRoutes =>
  function routes(app) {
    app.get('/streams/:id', { schema: infoSchema, config: { access: onStream('read') } }, async (request) => {
      const streamId = streamOf(request.params)
      return { ...(await api.info(streamId, contextOf(request))), ...api.place(streamId) }
    })
    app.get(
      '/streams/:id/events',
      { schema: readSchema, config: { access: onStream('read') } },
      async (request) => {
        const options = request.query as ReadOptions
        return toWirePage(await api.read(streamOf(request.params), options, contextOf(request)))
      },
    )
    app.get(
      '/streams/:id/load',
      { schema: loadSchema, config: { access: onStream('read') } },
      async (request) => {
        const streamId = streamOf(request.params)
        const loaded = await api.load(streamId, request.query, contextOf(request))
        return { streamId, ...loaded, events: loaded.events.map(toWireEvent) }
      },
    )
    app.get(
      '/streams/:id/state',
      { schema: stateAtSchema, config: { access: onStream('state') } },
      async (request) => {
        const streamId = streamOf(request.params)
        const { version, at } = request.query
        if (version !== undefined && at !== undefined) {
          throw invalidRequest('at', 'version and at are both given: expected one of them')
        }
        return { streamId, ...(await api.state(streamId, request.query as StatePoint, contextOf(request))) }
      },
    )
    return Promise.resolve()
  }

const streamOf = ({ id }: { readonly id: string }): StreamId => parseRequest(() => parseStreamId(id))

const toWirePage = (page: StreamPage) => ({ ...page, events: page.events.map(toWireEvent) })
