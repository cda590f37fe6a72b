import type { FastifyInstance } from 'fastify'

import { overloaded, requestTurns } from '#bounds'

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
      done(overloaded(`${waiting} requests are waiting`))
    } else {
      waiting++
      requestTurns.queue(() => {
        waiting--
        if (!reply.raw.destroyed) done()
      })
    }
  })
}
