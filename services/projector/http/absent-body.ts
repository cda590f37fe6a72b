import type { FastifyReply, FastifyRequest } from 'fastify'

/** For routes all of whose fields are optional: no body at all is as good as `{}`. */
export function absentBodyIsEmpty(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  request.body ??= {}
  done()
}
