import type { Static } from '@sinclair/typebox'

import type { Action, Caller } from '#access'
import { parseAggregateType } from '#domain'
import type { StreamFilter } from '#event-log'
import { type CategoryBatch, type CategoryQuery, invalidRequest, parseRequest } from '#event-store'
import {
  admitSubscriber,
  batchEvents,
  type HttpRoutes,
  onCategory,
  problemResponses,
  sendEvents,
  type ServerSentEvent,
  sharedJson,
  subscriptionSchema,
} from '#http'

import { categoryPageSchema, categoryParams, categoryQuery, categorySubscribeQuery } from './schemas.ts'
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
  querystring: categorySubscribeQuery,
  summary: 'Subscribe to the events of an aggregate type, as server-sent events',
  description:
    'Past events first, then new events as they are appended. The id of each event is its cursor: a client that sends it as Last-Event-ID resumes after that event. While a filter matches nothing, an event `progress` reports the cursor about once a second. A comment every 15 s keeps the connection alive. If the stream fails, an event `problem` states the reason.',
  ...subscriptionSchema(
    'Events: `id` is the cursor, `event` is `event`, and `data` is the event as in other responses. An event `progress` has only a cursor',
    ...failures,
  ),
}

/** An event is formatted once for all subscribers. */
const wireText = sharedJson(toWireEvent)

export const categoryRoutes = (api: WriterApi): HttpRoutes =>
  function routes(app) {
    app.get(
      '/categories/:type/events',
      { schema: readSchema, config: { access: onCategory('read') } },
      async (request) => {
        const type = typeOf(request.params)
        const query = await queryOf(api, type, request.query)
        const page = await api.readCategory(type, query, streamsFor(request.caller, 'read', type))
        return { ...page, events: page.events.map(toWireEvent) }
      },
    )
    const subscribe = {
      schema: subscribeSchema,
      onRequest: admitSubscriber,
      config: { access: onCategory('subscribe') },
    }
    app.get('/categories/:type/subscribe', subscribe, async (request, reply) => {
      const type = typeOf(request.params)
      const query = await queryOf(api, type, request.query, request.headers['last-event-id'])
      const streams = streamsFor(request.caller, 'subscribe', type)
      // Checked before the response starts: afterwards no status can be sent.
      await api.checkCategory(type, query)
      await sendEvents(request, reply, (signal) =>
        batches(api.subscribeCategory(type, query, signal, streams)),
      )
    })
    return Promise.resolve()
  }

const typeOf = ({ type }: { readonly type: string }): string => parseRequest(() => parseAggregateType(type))

type Query = Static<typeof categoryQuery>

/** @param resumeAt the Last-Event-ID of a client that reconnects; takes precedence over the start in the query. */
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

/** The streams to which a category is limited for a caller; undefined: all. */
function streamsFor({ rights }: Caller, action: Action, type: string): StreamFilter | undefined {
  const allowed = rights.streamsOf(action, type)
  if (allowed === 'all') return undefined
  return allowed === 'none' ? () => false : allowed
}

async function* batches(source: AsyncIterable<CategoryBatch>): AsyncGenerator<Iterable<ServerSentEvent>> {
  for await (const { events, cursor } of source) {
    yield batchEvents(events, cursor, ({ event, cursor: id }) => ({
      id,
      event: 'event',
      data: wireText(event),
    }))
  }
}
