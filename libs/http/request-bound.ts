import type { FastifyInstance } from 'fastify'

import { overloaded } from '#bounds'

import { isChange } from './change.ts'

/**
 * Rejects changes at once while `requestsMax` are in progress. Otherwise the excess would wait in the sockets, longer
 * with each further caller. A change counts once its body has arrived, so a slow sender takes no place from others.
 * Reads, probes and subscriptions pass: they show what is going on.
 */
export function boundRequests(app: FastifyInstance, requestsMax: number): void {
  let running = 0
  app.addHook('preValidation', (request, reply, done) => {
    // A socket that is closed already emits no further `close`.
    if (!isChange(request.method) || request.raw.socket.destroyed) {
      done()
    } else if (running >= requestsMax) {
      done(overloaded(`${running} requests are in progress`))
    } else {
      running++
      // Also when the client leaves before the answer.
      reply.raw.once('close', () => running--)
      done()
    }
  })
}
