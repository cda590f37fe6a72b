import type { FastifyInstance } from 'fastify'

import { EventStoreError } from '#event-store'

import { isChange } from './change.ts'

/**
 * Refuses changes at once while so many are under way: what a server is too slow for would otherwise wait in its sockets, for longer
 * with each further caller. A change counts once its body has arrived, so that nobody takes the place of others by sending slowly.
 * Reads, probes and subscriptions pass: they say what is going on.
 */
export function boundRequests(app: FastifyInstance, requestsMax: number): void {
  let underWay = 0
  app.addHook('preValidation', (request, reply, done) => {
    // Whoever has left already never closes again.
    if (!isChange(request.method) || request.raw.socket.destroyed) {
      done()
    } else if (underWay >= requestsMax) {
      done(overloaded(underWay))
    } else {
      underWay++
      // Also where the client leaves before its answer.
      reply.raw.once('close', () => underWay--)
      done()
    }
  })
}

const overloaded = (underWay: number): EventStoreError =>
  new EventStoreError('overloaded', `${underWay} requests are under way: try again in a second`, {
    retryAfterSeconds: 1,
  })
