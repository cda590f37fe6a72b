import type { FastifyInstance } from 'fastify'

import { requestTurns } from '#bounds'
import { EventStoreError } from '#event-store'

import { isChange } from './change.ts'
import { isProbe } from './probe-paths.ts'

/** As many as the default bound of connections; one connection may send several requests without waiting for answers. */
const defaultWaitingMax = 10_000

/**
 * Lets requests that change nothing begin in turns, a few milliseconds of them in each turn of the event loop. Hundreds may arrive at
 * once, and appends and probes do not wait behind them. A bounded number waits, and nothing is begun for a client that has left.
 */
export function takeReadsInTurns(app: FastifyInstance, waitingMax = defaultWaitingMax): void {
  let waiting = 0
  app.addHook('onRequest', (request, reply, done) => {
    if (isChange(request.method) || isProbe(request)) {
      done()
    } else if (waiting >= waitingMax) {
      done(overloaded(waiting))
    } else {
      waiting++
      requestTurns.queue(() => {
        waiting--
        if (!reply.raw.destroyed) done()
      })
    }
  })
}

const overloaded = (waiting: number): EventStoreError =>
  new EventStoreError('overloaded', `${waiting} requests wait to be read: try again in a second`, {
    retryAfterSeconds: 1,
  })
