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

import type { HeldRefusals } from './held-refusals.ts'
import type { Subscribers } from './subscribers.ts'
import type { Unread } from './unread.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborts when the server begins to close: whatever lasts (streams) then ends. */
    readonly closing: AbortSignal
    /** Live subscriptions of this server. */
    readonly subscribers: Subscribers
    /** Refusals, which are held back where there are many. */
    readonly refusals: HeldRefusals
    /** What waits for clients that read slowly. */
    readonly unread: Unread
  }
}

/** What a handler gets is typed by the schemas that checked it. Answers are typed by the code that makes them. */
export interface RequestTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
}

/** A Fastify instance whose handlers are typed by their TypeBox schemas. */
export type HttpServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  RequestTypes
>

/** A route as it is registered. */
export type HttpRoute = RouteOptions

/** A plugin of routes for such a server. */
export type HttpRoutes = FastifyPluginAsync<FastifyPluginOptions, RawServerDefault, RequestTypes>
