import type { FastifyInstance, FastifyRequest } from 'fastify'

import { isChange } from './change.ts'
import { RequestRefusal } from './request-refusal.ts'

/**
 * Rejects headers that change the meaning of a request and that no route honours: the sender would misread the answer.
 * `If-None-Match` and `If-Modified-Since` on reads only save bytes, so caches may send them.
 */
export function refuseUnsupportedHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    done(request.is404 ? undefined : (preconditionRefusal(request) ?? encodingRefusal(request)))
  })
}

function preconditionRefusal({ method, headers }: FastifyRequest): RequestRefusal | undefined {
  const refused = isChange(method) ? preconditions : preconditionsOfReads
  const name = refused.find((each) => headers[each.toLowerCase()] !== undefined)
  if (name === undefined) return undefined
  return new RequestRefusal(
    'precondition-not-supported',
    `${name} has no effect here: omit it; an append takes expectedVersion in its body`,
  )
}

const preconditionsOfReads = ['If-Match', 'If-Unmodified-Since']
const preconditions = [...preconditionsOfReads, 'If-None-Match']

function encodingRefusal({ method, headers }: FastifyRequest): RequestRefusal | undefined {
  const encoding = headers['content-encoding']?.trim()
  if (!isChange(method) || encoding === undefined || isIdentity(encoding)) return undefined
  return new RequestRefusal(
    'content-encoding-not-supported',
    `the body is encoded as ${encoding.slice(0, 100)}: send it without Content-Encoding`,
  )
}

const isIdentity = (encoding: string): boolean => encoding === '' || encoding.toLowerCase() === 'identity'
