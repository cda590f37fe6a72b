import { Type } from '@sinclair/typebox'

import { invalidRequest } from '#event-store'
import { type HttpRoutes, problemResponses, sendEvents, type ServerSentEvent } from '#http'
import type { ProjectionsApi, UpdatesQuery } from '#projections'

import { projectionParams, subscribeQuery } from './schemas.ts'

const subscribeSchema = {
  tags: ['views'],
  summary: 'Changes of views, live, as server-sent events',
  description:
    'All views as they are now, then each change; of a view that changes faster than it is read, changes in between may be left out, never the last. Last-Event-ID resumes right after the change that had it for an id. A comment every 15 s shows that the connection lives; an event `problem` tells why the stream ends.',
  params: projectionParams,
  querystring: subscribeQuery,
  headers: Type.Object({
    'last-event-id': Type.Optional(Type.String({ description: 'Counts more than the query' })),
  }),
  response: {
    200: {
      description:
        'Events: `id` is the cursor, `event` is `view`, `data` is `{"key", "view", "changedAt"}`, with the view null when it is gone. With `fromNow` an event `start` comes first, with no more than its cursor',
      content: { 'text/event-stream': { schema: Type.String() } },
    },
    ...problemResponses('invalid-request', 'projection-not-found', 'unavailable'),
  },
}

export const subscribeRoutes = (api: ProjectionsApi): HttpRoutes =>
  function routes(app) {
    app.get('/projections/:name/subscribe', { schema: subscribeSchema }, async (request, reply) => {
      const { name } = request.params
      const { cursor, fromNow = false, key } = request.query
      if (fromNow && cursor !== undefined) {
        throw invalidRequest('fromNow', 'cursor and fromNow are both given: expected one of them')
      }
      // What cannot be followed is refused while there still is a status to refuse it with.
      await api.describe(name)
      const resumeAt = request.headers['last-event-id'] ?? cursor
      const now = fromNow && resumeAt === undefined ? await api.cursorNow(name) : undefined
      const from = resumeAt ?? now
      const query = { ...(from !== undefined && { cursor: from }), ...(key !== undefined && { key }) }
      await sendEvents(request, reply, (signal) => follow(api, name, query, now, signal))
    })
    return Promise.resolve()
  }

/** @param now the cursor that the client must know before the first change comes. */
async function* follow(
  api: ProjectionsApi,
  name: string,
  query: UpdatesQuery,
  now: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  if (now !== undefined) yield { id: now, event: 'start', data: '{}' }
  for await (const { cursor, ...change } of api.updates(name, query, signal)) {
    yield { id: cursor, event: 'view', data: JSON.stringify(change) }
  }
}
