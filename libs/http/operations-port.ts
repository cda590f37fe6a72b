import type { FastifyInstance } from 'fastify'

import { RequestRefusal } from './request-refusal.ts'
import type { RouteAccess } from './route-access.ts'

/**
 * Serves routes for operators at one port, and the routes of applications at all others. At the wrong port a route does
 * not exist. Routes that both may use, health and documentation are served at both.
 */
export function separateOperations(app: FastifyInstance, operationsPort: number | undefined): void {
  if (operationsPort === undefined) return
  app.addHook('onRequest', ({ method, url, raw, routeOptions }, _reply, done) => {
    const isAsOperator = raw.socket.localPort === operationsPort
    const audience = audienceOf(routeOptions.config.access)
    if (audience === 'both' || (audience === 'operators') === isAsOperator) {
      done()
      return
    }
    const port = isAsOperator ? 'ANNALS_PORT' : 'ANNALS_OPERATIONS_PORT'
    const path = (url.split('?')[0] ?? '').slice(0, 500)
    done(
      new RequestRefusal('route-not-found', `${method} ${path} is not served at this port, but at ${port}`),
    )
  })
}

/** Who uses a route. */
function audienceOf(access: RouteAccess | undefined): 'operators' | 'applications' | 'both' {
  if (typeof access !== 'object') return 'both'
  const operating = access.actions.filter((action) => action === 'operate' || action === 'administer')
  if (operating.length === 0) return 'applications'
  return operating.length === access.actions.length ? 'operators' : 'both'
}
