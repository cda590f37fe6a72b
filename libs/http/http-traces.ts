import type { FastifyInstance, FastifyReply } from 'fastify'

import { type OpenSpan, openSpan } from '#observability'

import { isProbe } from './probe-paths.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The span of this request; undefined when it is not traced. */
    span: OpenSpan | undefined
  }
}

/**
 * Records a span for each request, which continues the trace of its `traceparent`. Attributes follow OpenTelemetry's
 * conventions (https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span). The span of an event
 * stream lasts as long as the stream.
 */
export function traceRequests(app: FastifyInstance): void {
  app.decorateRequest('span', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    const { method, headers, url, routeOptions } = request
    const route = routeOptions.url
    if (!isProbe(request)) {
      const span = openSpan(route === undefined ? method : `${method} ${route}`, {
        kind: 'server',
        headers,
        attributes: {
          'http.request.method': method,
          'url.scheme': request.protocol,
          'url.path': url.split('?')[0] ?? '',
          ...(route !== undefined && { 'http.route': route }),
        },
      })
      request.span = span
      // Also when the client leaves before the answer.
      reply.raw.once('close', () => endSpan(span, reply))
    }
    done()
  })
  // Reading the body loses the context of an earlier hook.
  app.addHook('preHandler', ({ span }, _reply, done) => {
    if (span === undefined) done()
    else span.run(done)
  })
}

function endSpan(span: OpenSpan | undefined, { raw }: FastifyReply): void {
  if (raw.headersSent) {
    span?.set({ 'http.response.status_code': raw.statusCode })
    if (raw.statusCode >= 500) span?.fail(String(raw.statusCode))
  }
  span?.end()
}
