import type { Static, TSchema } from '@sinclair/typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyPluginAsync,
  FastifyPluginOptions,
  FastifyTypeProvider,
  RouteOptions,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'

import type { Refusals } from './held-refusals.ts'
import type { Subscribers } from './subscribers.ts'
import type { Unread } from './unread.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborts when the server starts to close. Streams then end. */
    readonly closing: AbortSignal
    /** Live subscriptions of this server. */
    readonly subscribers: Subscribers
    /** Delay rejections when there are many. */
    readonly refusals: Refusals
    /** Tracks data that waits for slow readers. */
    readonly unread: Unread
  }
}

/**
 * Handlers get types from the schemas that validated the request. Responses are typed by the code that creates them.
 */
export interface RequestTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
}

/** A Fastify instance whose handlers get their types from TypeBox schemas. */
export type HttpServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  RequestTypes
>

/** A route as registered. */
export type HttpRoute = RouteOptions

/** A plugin with routes for such a server. */
export type HttpRoutes = FastifyPluginAsync<FastifyPluginOptions, RawServerDefault, RequestTypes>
