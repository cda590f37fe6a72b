import type { FastifyInstance } from 'fastify'

import { requestTurns } from '#bounds'

import { isChange } from './change.ts'
import { isProbe } from './probe-paths.ts'

/**
 * Lets requests that change nothing begin in turns, a few milliseconds of them in each turn of the event loop. Hundreds may arrive at
 * once, and appends and probes do not wait behind them. Each connection has one request, and connections are bounded.
 */
export function takeReadsInTurns(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (isChange(request.method) || isProbe(request)) done()
    else requestTurns.queue(() => done())
  })
}
