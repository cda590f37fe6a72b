import type { FastifyInstance } from 'fastify'

import { requestTurns } from '#bounds'
import { EventStoreError } from '#event-store'

import { isChange } from './change.ts'
import { isProbe } from './probe-paths.ts'

/** Equal to the default bound of connections. One connection may send several requests without waiting for answers. */
const defaultWaitingMax = 10_000

/**
 * Starts requests that change nothing in turns, a few milliseconds of them per turn of the event loop. Hundreds may
 * arrive together, and appends and probes do not wait behind them. A bounded number waits. A request whose client has
 * left is not started.
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
  new EventStoreError('overloaded', `${waiting} requests are waiting: try again in a second`, {
    retryAfterSeconds: 1,
  })
