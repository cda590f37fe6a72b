import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { InvalidInputError } from '#domain'
import { type ErrorCode, EventStoreError, type Problem, toProblem } from '#event-store'

import { notJson } from './foreign-requests.ts'
import { heldWith } from './held-refusals.ts'
import { refusalProblem, RequestRefusal } from './request-refusal.ts'

/** Answers all errors of a server with problem documents, derived from the one table of errors. */
export function answerWithProblems(app: FastifyInstance): void {
  app.setErrorHandler(answerFailure)
  app.setNotFoundHandler((request, reply) => sendProblem(reply, routeNotFound(request)))
}

/** Answers a request with the problem document of an error. */
export function answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error, request)
  const refusals = heldWith(request, problem)
  if (refusals === undefined) sendProblem(reply, problem)
  else refusals.send(() => !reply.raw.destroyed && sendProblem(reply, problem))
}

/**
 * The problem document of any thrown value. An unexpected error is logged under the id of the request, and the caller
 * gets only that id.
 */
export function problemOf(error: unknown, request: FastifyRequest): Problem {
  const known = translate(error)
  if (known instanceof RequestRefusal) return known.problem
  if (known !== undefined && known.code !== 'internal') return toProblem(known)
  request.log.error({ err: error, requestId: request.id }, 'a request failed')
  return toProblem(
    new EventStoreError('internal', `an internal error in Annals: see its log for request id ${request.id}`),
  )
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 503 || problem.status === 429)
    void reply.header('retry-after', problem.retryAfterSeconds ?? 1)
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="annals"')
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

function translate(error: unknown): EventStoreError | RequestRefusal | undefined {
  if (error instanceof EventStoreError || error instanceof RequestRefusal) return error
  if (error instanceof InvalidInputError) return ofInput(error)
  return error instanceof Error ? ofFastify(error) : undefined
}

/** Invalid event data is a violation of the event's schema; anything else concerns the shape of the request. */
const ofInput = (error: InvalidInputError): EventStoreError =>
  new EventStoreError(
    /^(events\[\d+\]\.)?data\b/.test(error.path) ? 'invalid-event' : 'invalid-request',
    error.message,
    { path: error.path },
    { cause: error },
  )

/** Fastify's own rejections of a body: too large, not JSON, another media type, or missing. */
function ofFastify(error: Error & { statusCode?: number }): EventStoreError | RequestRefusal | undefined {
  const status = error.statusCode ?? 500
  if (status < 400 || status >= 500) return undefined
  if (status === 415) return notJson('not readable')
  const refusal = bodyRefusals[status]
  if (refusal !== undefined) return new EventStoreError(...refusal)
  return new EventStoreError('invalid-request', error.message)
}

const bodyRefusals: Readonly<Record<number, [ErrorCode, string]>> = {
  413: ['append-too-large', 'the body is larger than this server accepts: send fewer events in one request'],
}

const routeNotFound = ({ method, url }: FastifyRequest): Problem =>
  refusalProblem(
    'route-not-found',
    `${method} ${(url.split('?')[0] ?? '').slice(0, 500)} is not a route: /docs lists all routes`,
  )
