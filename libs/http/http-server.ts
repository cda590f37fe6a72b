import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Registry } from 'prom-client'

import { newEventId } from '#domain'
import { isTracing } from '#observability'

import { boundBodyBytes } from './body-bytes.ts'
import { answerBrokenRequest } from './broken-requests.ts'
import { boundConnections, type ConnectionLimits } from './connection-bounds.ts'
import { describeApi } from './documentation.ts'
import { refuseForeignRequests } from './foreign-requests.ts'
import { type HoldBounds, holdRefusals } from './held-refusals.ts'
import { observeRequests } from './http-metrics.ts'
import { traceRequests } from './http-traces.ts'
import type { HttpServer, RequestTypes } from './http-types.ts'
import { takeJsonBodies } from './json-body.ts'
import { addProbes, type HealthSource } from './probes.ts'
import { answerFailure, answerWithProblems } from './problem-reply.ts'
import { takeReadsInTurns } from './read-turns.ts'
import { boundRequests } from './request-bound.ts'
import { Subscribers } from './subscribers.ts'
import { Unread, type UnreadBounds, watchAnswers } from './unread.ts'
import { refuseUnsupportedHeaders } from './unsupported-headers.ts'
import { compileValidator } from './validation.ts'

export interface HttpServerOptions extends Partial<ConnectionLimits> {
  readonly logger: FastifyBaseLogger
  readonly health: HealthSource
  readonly metrics: Registry
  /** Of the API, as its documentation shows them. */
  readonly title: string
  readonly version: string
  /** Larger bodies get 413. */
  readonly bodyLimitBytes: number
  /** Of all bodies that are arriving or being worked on; default 128 MiB. */
  readonly bodiesBytesMax?: number
  /** Changes that may be under way at a time; default 500. More get 503. */
  readonly requestsMax?: number
  /** Live subscriptions at a time; default 1,000. More get 503. */
  readonly subscribersMax?: number
  /** Of what waits for clients that read slowly; default 64 MiB, and 60 s. */
  readonly unread?: Partial<UnreadBounds>
  /** Refusals that are held back where there are many; default: beyond 20 a second, for 4 s. */
  readonly refusals?: HoldBounds
  /** How long a request may take to come in whole, headers and body; default 10 s. Then it gets 408. */
  readonly requestTimeoutMs?: number
  /** Names by which it is reached, besides localhost and IP addresses, with a port or without. Requests for others get 421. */
  readonly hosts?: readonly string[]
}

/** Room for the longest stream id with every character percent-encoded. */
const maxParamLength = 4_000

/**
 * A server with everything that is the same in all services: problem documents for errors, `/health/live`,
 * `/health/ready`, `/metrics`, `/openapi.json` and `/docs`. Register the routes, then `listen`; `close` answers
 * what has begun, ends streams and idle connections, and returns.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { requestTimeoutMs = 10_000, requestsMax = 500, hosts = [] } = options
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
      // Those that came together run out of time together: looked for often, they are answered a few at a time.
      connectionsCheckingInterval: Math.min(100, requestTimeoutMs / 2),
    },
  }).withTypeProvider<RequestTypes>()
  takeJsonBodies(app)
  app.setValidatorCompiler(compileValidator)
  answerWithProblems(app)
  // What a client expects beyond 100-continue may be passed over (RFC 9110, 10.1.1); Node would answer an empty 417.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  const { connectionsMax = 10_000, connectionsPerAddressMax = 1_000 } = options
  boundConnections(app.server, { connectionsMax, connectionsPerAddressMax })
  endStreamsOnClose(app)
  holdRefusals(app, options.refusals)
  observeRequests(app, options.metrics)
  takeReadsInTurns(app)
  refuseForeignRequests(app, { hosts })
  refuseUnsupportedHeaders(app)
  boundBodyBytes(app, options.bodiesBytesMax ?? 128 * 1_048_576)
  boundRequests(app, requestsMax)
  boundReaders(app, options)
  if (isTracing()) traceRequests(app)
  await describeApi(app, options)
  addProbes(app, options.health, options.metrics)
  return app
}

function boundReaders(
  app: FastifyInstance,
  { metrics, subscribersMax = 1_000, unread }: HttpServerOptions,
): void {
  const bounds = { bytesMax: 64 << 20, stalledMsMax: 60_000, ...unread }
  app.decorate('subscribers', new Subscribers(metrics, subscribersMax))
  app.decorate('unread', new Unread(metrics, bounds))
  watchAnswers(app, app.unread)
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
