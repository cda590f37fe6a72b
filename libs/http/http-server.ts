import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Registry } from 'prom-client'

import { newEventId } from '#domain'
import { isTracing } from '#observability'

import { answerBrokenRequest } from './broken-requests.ts'
import { observeRequests } from './http-metrics.ts'
import { traceRequests } from './http-traces.ts'
import type { HttpServer, RequestTypes } from './http-types.ts'
import { addProbes, type HealthSource } from './probes.ts'
import { answerFailure, answerWithProblems } from './problem-reply.ts'
import { boundRequests } from './request-bound.ts'
import { type SubscriberBounds, Subscribers } from './subscribers.ts'
import { compileValidator } from './validation.ts'

export interface HttpServerOptions {
  readonly logger: FastifyBaseLogger
  readonly health: HealthSource
  readonly metrics: Registry
  /** Of the API, as its documentation shows them. */
  readonly title: string
  readonly version: string
  /** Larger bodies get 413. */
  readonly bodyLimitBytes: number
  /** Changes that may be under way at a time; default 500. More get 503. */
  readonly requestsMax?: number
  /** Bounds of live subscriptions. */
  readonly subscribers?: Partial<SubscriberBounds>
  /** How long a request may take to come in whole, headers and body; default 60 s. Then it gets 408. */
  readonly requestTimeoutMs?: number
}

/** Room for the longest stream id with every character percent-encoded. */
const maxParamLength = 4_000

/**
 * A server with everything that is the same in all services: problem documents for errors, `/health/live`,
 * `/health/ready`, `/metrics`, `/openapi.json` and `/docs`. Register the routes, then `listen`; `close` answers
 * what has begun, ends streams and idle connections, and returns.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { requestTimeoutMs = 60_000, requestsMax = 500 } = options
  const app = Fastify({
    loggerInstance: options.logger,
    // A line for each request would cost more than the request; metrics count them, and failures are logged.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => newEventId(),
    bodyLimit: options.bodyLimitBytes,
    routerOptions: { maxParamLength },
    frameworkErrors: answerFailure,
    clientErrorHandler: answerBrokenRequest,
    requestTimeout: requestTimeoutMs,
    http: {
      // Where the headers had longer than the whole, Node would take one for the other.
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(10_000, requestTimeoutMs / 2),
    },
  }).withTypeProvider<RequestTypes>()
  app.removeContentTypeParser('text/plain')
  app.setValidatorCompiler(compileValidator)
  answerWithProblems(app)
  // What a client expects beyond 100-continue may be passed over (RFC 9110, 10.1.1); Node would answer an empty 417.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  endStreamsOnClose(app)
  observeRequests(app, options.metrics)
  boundRequests(app, requestsMax)
  app.decorate('subscribers', new Subscribers(options.metrics, options.subscribers))
  if (isTracing()) traceRequests(app)
  await describeApi(app, options)
  addProbes(app, options.health, options.metrics)
  return app
}

function endStreamsOnClose(app: FastifyInstance): void {
  const closing = new AbortController()
  app.decorate('closing', closing.signal)
  app.addHook('preClose', (done) => {
    closing.abort()
    done()
  })
  // A connection kept alive past its answer would keep the server from closing.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing.signal.aborted) void reply.header('connection', 'close')
    done()
  })
}

async function describeApi(app: FastifyInstance, { title, version }: HttpServerOptions): Promise<void> {
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title, version } } })
  await app.register(swaggerUi, { routePrefix: '/docs' })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}
