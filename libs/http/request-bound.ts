import type { FastifyInstance } from 'fastify'

import { EventStoreError } from '#event-store'

/**
 * Refuses changes (POST) at once while so many are under way: what a server is too slow for would otherwise wait in its sockets, for
 * longer with each further caller. Reads, probes and subscriptions pass: they say what is going on.
 */
export function boundRequests(app: FastifyInstance, requestsMax: number): void {
  let underWay = 0
  app.addHook('onRequest', ({ method }, reply, done) => {
    if (method !== 'POST') {
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
