import { Type, type Static } from '@sinclair/typebox'

import { parseAggregateType, type RecordedEvent } from '#domain'
import { type CategoryEvent, type CategoryQuery, invalidRequest, parseRequest } from '#event-store'
import {
  admitSubscriber,
  type HttpRoutes,
  problemResponses,
  progressEvent,
  sendEvents,
  type ServerSentEvent,
} from '#http'

import { categoryPageSchema, categoryParams, categoryQuery, subscribeQuery } from './schemas.ts'
import { toWireEvent } from './wire.ts'
import type { WriterApi } from '../writer-api.ts'

const failures = ['invalid-request', 'category-not-found', 'overloaded', 'unavailable'] as const
const common = { tags: ['categories'], params: categoryParams }

const readSchema = {
  ...common,
  querystring: categoryQuery,
  summary: 'Events of all streams of an aggregate type',
  response: { 200: categoryPageSchema, ...problemResponses(...failures) },
}
const subscribeSchema = {
  ...common,
  querystring: subscribeQuery,
  summary: 'The same, live, as server-sent events',
  description:
    'Past events first, then new ones as they come. Each has its cursor for an id: Last-Event-ID resumes right after it. While a filter matches nothing, an event `progress` brings the cursor about once a second. A comment every 15 s shows that the connection lives; an event `problem` says why the stream ends.',
  headers: Type.Object({
    'last-event-id': Type.Optional(Type.String({ description: 'Counts more than the cursor of the query' })),
  }),
  response: {
    200: {
      description:
        'Events: `id` is the cursor, `event` is `event`, `data` the event as elsewhere; or `event` is `progress`, with no more than its cursor',
      content: { 'text/event-stream': { schema: Type.String() } },
    },
    ...problemResponses(...failures),
  },
}

/** Events as they are sent: made once for all subscribers. */
const wireTexts = new WeakMap<RecordedEvent, string>()

export const categoryRoutes = (api: WriterApi): HttpRoutes =>
  function routes(app) {
    app.get('/categories/:type/events', { schema: readSchema }, async (request) => {
      const type = typeOf(request.params)
      const page = await api.readCategory(type, await queryOf(api, type, request.query))
      return { ...page, events: page.events.map(toWireEvent) }
    })
    const subscribe = { schema: subscribeSchema, onRequest: admitSubscriber }
    app.get('/categories/:type/subscribe', subscribe, async (request, reply) => {
      const type = typeOf(request.params)
      const query = await queryOf(api, type, request.query, request.headers['last-event-id'])
      // What cannot be followed is refused while there still is a status to refuse it with.
      await api.checkCategory(type, query)
      await sendEvents(request, reply, (signal) => follow(api, type, query, signal))
    })
    return Promise.resolve()
  }

const typeOf = ({ type }: { readonly type: string }): string => parseRequest(() => parseAggregateType(type))

type Query = Static<typeof categoryQuery>

/** @param resumeAt the cursor of a subscription that comes again: it counts more than where the query starts. */
async function queryOf(
  api: WriterApi,
  type: string,
  query: Query,
  resumeAt?: string,
): Promise<CategoryQuery> {
  const { eventType, offset, ...rest } = query
  const start =
    offset === undefined || resumeAt !== undefined ? query.cursor : await cursorOf(api, type, offset, query)
  const cursor = resumeAt ?? start
  return {
    ...rest,
    ...(cursor !== undefined && { cursor }),
    ...(eventType !== undefined && { eventTypes: eventType }),
  }
}

function cursorOf(
  api: WriterApi,
  type: string,
  offset: number,
  { partition, cursor }: Query,
): Promise<string> {
  if (partition === undefined || cursor !== undefined) {
    throw invalidRequest('offset', 'offset starts a partition: expected partition beside it, and no cursor')
  }
  return api.cursorAt(type, partition, offset)
}

async function* follow(
  api: WriterApi,
  type: string,
  query: CategoryQuery,
  signal: AbortSignal,
): AsyncGenerator<Iterable<ServerSentEvent>> {
  for await (const { events, cursor } of api.subscribeCategory(type, query, signal)) {
    yield events.length === 0 ? [progressEvent(cursor)] : serverSent(events)
  }
}

/** Made one by one, when the subscriber's turn has come. */
function* serverSent(events: readonly CategoryEvent[]): Generator<ServerSentEvent> {
  for (const { event, cursor } of events) yield { id: cursor, event: 'event', data: wireText(event) }
}

function wireText(event: RecordedEvent): string {
  const known = wireTexts.get(event)
  if (known !== undefined) return known
  const text = JSON.stringify(toWireEvent(event))
  wireTexts.set(event, text)
  return text
}
