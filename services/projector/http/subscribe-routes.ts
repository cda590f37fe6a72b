import { Type } from '@sinclair/typebox'

import { invalidRequest } from '#event-store'
import {
  admitSubscriber,
  type HttpRoutes,
  problemResponses,
  progressEvent,
  sendEvents,
  type ServerSentEvent,
} from '#http'
import type { UpdatesQuery } from '#projections'

import { projectionParams, subscribeQuery } from './schemas.ts'
import type { ChangeAt, ProjectorApi } from '../projector-api.ts'

const subscribeSchema = {
  tags: ['views'],
  summary: 'Changes of views, live, as server-sent events',
  description:
    'All views as they are now, then each change; of a view that changes faster than it is read, changes in between may be left out, never the last. Last-Event-ID resumes right after the change that had it for an id. While no change is of the view asked for, an event `progress` brings the cursor about once a second. A comment every 15 s shows that the connection lives; an event `problem` says why the stream ends.',
  params: projectionParams,
  querystring: subscribeQuery,
  headers: Type.Object({
    'last-event-id': Type.Optional(Type.String({ description: 'Counts more than the query' })),
  }),
  response: {
    200: {
      description:
        'Events: `id` is the cursor, `event` is `view`, `data` is `{"key", "view", "changedAt"}`, with the view null when it is gone. With `fromNow` an event `start` comes first. It and `progress` bring no more than their cursor',
      content: { 'text/event-stream': { schema: Type.String() } },
    },
    ...problemResponses('invalid-request', 'projection-not-found', 'overloaded', 'unavailable'),
  },
}

/** Changes as they are sent: made once for all subscribers. */
const wireTexts = new WeakMap<ChangeAt['change'], string>()

export const subscribeRoutes = (api: ProjectorApi): HttpRoutes =>
  function routes(app) {
    const subscribe = { schema: subscribeSchema, onRequest: admitSubscriber }
    app.get('/projections/:name/subscribe', subscribe, async (request, reply) => {
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
      await api.checkUpdates(name, query)
      await sendEvents(request, reply, (signal) => follow(api, name, query, now, signal))
    })
    return Promise.resolve()
  }

/** @param now the cursor that the client must know before the first change comes. */
async function* follow(
  api: ProjectorApi,
  name: string,
  query: UpdatesQuery,
  now: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Iterable<ServerSentEvent>> {
  if (now !== undefined) yield [{ id: now, event: 'start', data: '{}' }]
  for await (const { changes, cursor } of api.subscribe(name, query, signal)) {
    yield changes.length === 0 ? [progressEvent(cursor)] : serverSent(changes)
  }
}

/** Made one by one, when the subscriber's turn has come. */
function* serverSent(changes: readonly ChangeAt[]): Generator<ServerSentEvent> {
  for (const { change, cursor } of changes) yield { id: cursor, event: 'view', data: wireText(change) }
}

function wireText(change: ChangeAt['change']): string {
  const known = wireTexts.get(change)
  if (known !== undefined) return known
  const text = JSON.stringify(change)
  wireTexts.set(change, text)
  return text
}
