import { invalidRequest } from '#event-store'
import {
  admitSubscriber,
  batchEvents,
  type HttpRoutes,
  onProjection,
  sendEvents,
  type ServerSentEvent,
  sharedJson,
  subscriptionSchema,
} from '#http'
import type { UpdatesQuery } from '#projections'

import { projectionParams, viewSubscribeQuery } from './schemas.ts'
import type { ChangeAt, ProjectorApi } from '../projector-api.ts'

const subscribeSchema = {
  tags: ['views'],
  summary: 'Subscribe to changes of views, as server-sent events',
  description:
    'All current views first, then each change. If a view changes faster than the client reads, intermediate changes may be left out, but never the last one. The id of each event is its cursor: a client that sends it as Last-Event-ID resumes after that change. While no change concerns the requested view, an event `progress` reports the cursor about once a second. A comment every 15 s keeps the connection alive. If the stream fails, an event `problem` states the reason.',
  params: projectionParams,
  querystring: viewSubscribeQuery,
  ...subscriptionSchema(
    'Events: `id` is the cursor, `event` is `view`, and `data` is `{"key", "view", "changedAt"}`, where the view is null if it was deleted. With `fromNow`, an event `start` comes first. `start` and `progress` have only a cursor',
    ...(['invalid-request', 'projection-not-found', 'overloaded', 'unavailable'] as const),
  ),
}

/** A change is formatted once for all subscribers. */
const wireText = sharedJson((change: ChangeAt['change']) => change)

export const subscribeRoutes = (api: ProjectorApi): HttpRoutes =>
  function routes(app) {
    const subscribe = {
      schema: subscribeSchema,
      onRequest: admitSubscriber,
      config: { access: onProjection('view') },
    }
    app.get('/projections/:name/subscribe', subscribe, async (request, reply) => {
      const { name } = request.params
      const { cursor, fromNow = false, key } = request.query
      if (fromNow && cursor !== undefined) {
        throw invalidRequest('fromNow', 'cursor and fromNow are both given: expected one of them')
      }
      // Checked before the response starts: afterwards no status can be sent.
      await api.describe(name)
      const resumeAt = request.headers['last-event-id'] ?? cursor
      const now = fromNow && resumeAt === undefined ? await api.cursorNow(name) : undefined
      const from = resumeAt ?? now
      const query = { ...(from !== undefined && { cursor: from }), ...(key !== undefined && { key }) }
      await api.checkUpdates(name, query)
      await sendEvents(request, reply, (signal) => follow(api, name, query, now, signal))
    })
    return Promise.resolve()
  }

/** @param now the cursor that the client receives before the first change. */
async function* follow(
  api: ProjectorApi,
  name: string,
  query: UpdatesQuery,
  now: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Iterable<ServerSentEvent>> {
  if (now !== undefined) yield [{ id: now, event: 'start', data: '{}' }]
  for await (const { changes, cursor } of api.subscribe(name, query, signal)) {
    yield batchEvents(changes, cursor, ({ change, cursor: id }) => ({
      id,
      event: 'view',
      data: wireText(change),
    }))
  }
}
