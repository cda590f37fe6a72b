import type { FastifyRequest } from 'fastify'

import type { RequestContext } from '../writer-api.ts'

const passedOn: RequestContext = { forwarded: true }
const fromCaller: RequestContext = { forwarded: false }

/** A writer that passes a request on sets this header. */
export const contextOf = (request: FastifyRequest): RequestContext =>
  request.headers['annals-forwarded'] === '1' ? passedOn : fromCaller
