import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Registry } from 'prom-client'

import { newEventId } from '#domain'
import type { PrincipalLimits } from '#limits'
import { isTracing } from '#observability'

import { controlAccess } from './access-control.ts'
import { boundBodyBytes } from './body-bytes.ts'
import { answerBrokenRequest } from './broken-requests.ts'
import { boundConnections, type ConnectionLimits } from './connection-bounds.ts'
import { describeApi } from './documentation.ts'
import { refuseForeignRequests } from './foreign-requests.ts'
import type { Guard } from './guard.ts'
import { type HoldBounds, holdRefusals } from './held-refusals.ts'
import { observeRequests } from './http-metrics.ts'
import { traceRequests } from './http-traces.ts'
import type { HttpServer, RequestTypes } from './http-types.ts'
import { takeJsonBodies } from './json-body.ts'
import { separateOperations } from './operations-port.ts'
import { addProbes, type HealthSource } from './probes.ts'
import { answerFailure, answerWithProblems } from './problem-reply.ts'
import { takeReadsInTurns } from './read-turns.ts'
import { boundRequests } from './request-bound.ts'
import { Subscribers } from './subscribers.ts'
import { isTls, maintainTls, secureOptions, type TlsOptions } from './tls.ts'
import { checkTlsTexts, readTlsFiles, type TlsMaterial } from './tls-files.ts'
import { TlsMetrics } from './tls-metrics.ts'
import { Unread, type UnreadBounds, watchAnswers } from './unread.ts'
import { refuseUnsupportedHeaders } from './unsupported-headers.ts'
import { compileValidator } from './validation.ts'

export interface HttpServerOptions extends Partial<ConnectionLimits> {
  readonly logger: FastifyBaseLogger
  readonly health: HealthSource
  readonly metrics: Registry
  /** Title of the API, shown in its documentation. */
  readonly title: string
  readonly version: string
  /** Larger bodies get 413. */
  readonly bodyLimitBytes: number
  /** For all bodies that are arriving or being processed; default 128 MiB. */
  readonly bodiesBytesMax?: number
  /** Changes in progress at a time; default 500. Further ones get 503. */
  readonly requestsMax?: number
  /** Live subscriptions at a time; default 1,000. Further ones get 503. */
  readonly subscribersMax?: number
  /** For data that waits for slow readers; default 64 MiB, and 60 s. */
  readonly unread?: Partial<UnreadBounds>
  /** When rejections are delayed; default: beyond 20 a second, for 4 s. */
  readonly refusals?: HoldBounds
  /** When rejections of principals at their limits are delayed; default: beyond 20 a second, for 2 s. */
  readonly limitRefusals?: HoldBounds
  /** How long a request may take to arrive completely, headers and body; default 10 s. After that it gets 408. */
  readonly requestTimeoutMs?: number
  /**
   * Host names of the service in addition to localhost and IP addresses, each with or without a port. Requests for
   * others get 421.
   */
  readonly hosts?: readonly string[]
  /** Port of the routes that only operators use; default: the same as for all others. */
  readonly operationsPort?: number
  /** Controls access. Without it everyone may do everything. */
  readonly guard?: Guard
  /** With it, the server speaks HTTPS. Default: HTTP. */
  readonly tls?: TlsOptions
  /** Bounds what each principal uses. Without it only the process is bounded. */
  readonly limits?: PrincipalLimits
}

/** The longest stream id with every character percent-encoded. */
const maxParamLength = 4_000

/**
 * Creates a server with everything that all services share: problem documents for errors, `/health/live`,
 * `/health/ready`, `/metrics`, `/openapi.json` and `/docs`. Register the routes, then call `listen`. `close` answers
 * the running requests, ends streams and idle connections, and resolves.
 * @throws TlsFileError when a TLS file cannot be used
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { requestsMax = 500, hosts = [], tls } = options
  const material = tls && checkTlsTexts(tls, await readTlsFiles(tls))
  const app = newServer(options, material)
  const tlsMetrics = new TlsMetrics(options.metrics)
  if (tls && material && isTls(app.server)) maintainTls(app, app.server, tls, material, tlsMetrics)
  takeJsonBodies(app)
  app.setValidatorCompiler(compileValidator)
  answerWithProblems(app)
  // An expectation other than 100-continue may be ignored (RFC 9110, 10.1.1); Node would answer an empty 417.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  const { connectionsMax = 10_000, connectionsPerAddressMax = 1_000 } = options
  boundConnections(app.server, { connectionsMax, connectionsPerAddressMax })
  endStreamsOnClose(app)
  holdRefusals(app, options.refusals, options.limitRefusals)
  observeRequests(app, options.metrics)
  takeReadsInTurns(app)
  refuseForeignRequests(app, { hosts })
  separateOperations(app, options.operationsPort)
  controlAccess(app, options.guard, options.limits)
  refuseUnsupportedHeaders(app)
  boundBodyBytes(app, options.bodiesBytesMax ?? 128 * 1_048_576)
  boundRequests(app, requestsMax)
  boundReaders(app, options)
  if (isTracing()) traceRequests(app)
  await describeApi(app, options)
  addProbes(app, options.health, options.metrics)
  return app
}

function newServer(
  { logger, bodyLimitBytes, requestTimeoutMs = 10_000 }: HttpServerOptions,
  material: TlsMaterial | undefined,
): HttpServer {
  const http = {
    // Node swaps the two when the headers may take longer than the whole request.
    headersTimeout: requestTimeoutMs,
    // Requests that arrived together expire together. Frequent checks answer them a few at a time.
    connectionsCheckingInterval: Math.min(100, requestTimeoutMs / 2),
  }
  return Fastify({
    loggerInstance: logger,
    // A line per request would cost more than the request. Metrics count requests, and failures are logged.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => newEventId(),
    bodyLimit: bodyLimitBytes,
    routerOptions: { maxParamLength },
    frameworkErrors: answerFailure,
    clientErrorHandler: answerBrokenRequest,
    requestTimeout: requestTimeoutMs,
    // Fastify's type for HTTPS differs, but all that routes use is the same.
    ...((material === undefined
      ? { http }
      : { https: { ...http, ...secureOptions(material, requestTimeoutMs) } }) as { http: typeof http }),
  }).withTypeProvider<RequestTypes>()
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
  // A connection kept alive after its answer would delay the close.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing.signal.aborted) void reply.header('connection', 'close')
    done()
  })
}
