import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { type Action, allRights, type Caller, type Decision, type Resource, resourceText } from '#access'
import { EventStoreError } from '#event-store'
import type { PrincipalLimits } from '#limits'

import { credentialsOf } from './credentials.ts'
import type { Guard } from './guard.ts'
import { limitPrincipals } from './principal-limits.ts'
import { type DeclaredAccess, requireDeclarations, type RouteAccess } from './route-access.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined: the server is open. */
    readonly guard: Guard | undefined
  }
  interface FastifyRequest {
    /** The sender of the request. Without access control it may do everything. */
    caller: Caller
  }
}

const anyone = (name: string, rights: Caller['rights'], isForwarded: boolean): Caller => ({
  principal: { name, kind: 'open', roles: [] },
  rights,
  isForwarded,
  ended: () => undefined,
})

const open = anyone('anonymous', allRights, false)
const openForwarded = anyone('anonymous', allRights, true)

/**
 * Authenticates each request and decides whether it may go on, before its body is read and before anything is looked
 * up: a rejection says nothing about what exists. Without a guard everyone may do everything. Requests count for the
 * limits of their principals before the decision, so denied ones count too.
 */
export function controlAccess(
  app: FastifyInstance,
  guard: Guard | undefined,
  limits?: PrincipalLimits,
): void {
  app.decorate('guard', guard)
  app.decorateRequest('caller', null as never)
  requireDeclarations(app)
  if (guard === undefined) {
    app.addHook('onRequest', (request, _reply, done) => {
      request.caller = request.headers['annals-forwarded'] === '1' ? openForwarded : open
      done()
    })
    limitPrincipals(app, limits)
    return
  }
  app.addHook('onRequest', (request, _reply, done) => identify(guard, request, done))
  limitPrincipals(app, limits)
  app.addHook('onRequest', (request, _reply, done) => done(decide(request)))
  app.addHook('onResponse', (request, reply, done) => {
    reportAct(guard, request, reply)
    done()
  })
}

function identify(guard: Guard, request: FastifyRequest, done: (error?: Error) => void): void {
  const access = request.routeOptions.config.access ?? 'public'
  try {
    const credentials = credentialsOf(request)
    if (access === 'public' && credentials === undefined) {
      request.caller = nobody
      done()
      return
    }
    const caller = guard.authenticate(credentials ?? noCredentials)
    if (caller instanceof Promise) {
      caller.then(
        (known) => {
          request.caller = known
          done()
        },
        (error: unknown) => done(notKnown(guard, request, error)),
      )
    } else {
      request.caller = caller
      done()
    }
  } catch (error) {
    done(notKnown(guard, request, error))
  }
}

const noCredentials = { authorization: [], peer: [] }

/** Somebody without a credential, at a public route. */
const nobody: Caller = {
  principal: { name: 'anonymous', kind: 'open', roles: [] },
  rights: {
    decide: () => ({ isAllowed: false, reason: 'the request has no credential' }),
    streamsOf: () => 'none',
    touchesType: () => false,
    fingerprint: '',
  },
  isForwarded: false,
  ended: () => undefined,
}

function decide(request: FastifyRequest): EventStoreError | undefined {
  const access = request.routeOptions.config.access ?? 'public'
  if (access === 'public' || access === 'authenticated' || access.resource === undefined) return undefined
  const resource = access.resource(request.params as Readonly<Record<string, string>>)
  return refusalOf(request, access.actions, resource)
}

/**
 * Decides whether the caller may do one of the actions. A rejection is reported to the guard.
 * @returns the error for the caller; undefined if it may
 */
export function refusalOf(
  request: FastifyRequest,
  actions: readonly Action[],
  resource: Resource,
): EventStoreError | undefined {
  let denied: Decision | undefined
  for (const action of actions) {
    const decision = request.caller.rights.decide(action, resource)
    if (decision.isAllowed) return undefined
    denied ??= decision
  }
  const reason = denied?.reason ?? 'no action would be enough'
  const [action] = actions
  report(request, { code: 'forbidden', reason, resource: resourceText(resource), ...(action && { action }) })
  return new EventStoreError('forbidden', reason)
}

function notKnown(guard: Guard, request: FastifyRequest, error: unknown): Error {
  if (!(error instanceof Error)) return new TypeError(String(error))
  if (error instanceof EventStoreError && error.code === 'unauthenticated') {
    report(request, { code: 'unauthenticated', reason: error.message }, guard)
  }
  return error
}

type Denied = Pick<Parameters<Guard['denied']>[0], 'code' | 'reason' | 'action' | 'resource'>

function report(request: FastifyRequest, denied: Denied, guard = request.server.guard): void {
  guard?.denied({
    ...denied,
    ...(denied.code === 'forbidden' && { caller: request.caller }),
    ...placeOf(request),
    path: (request.url.split('?')[0] ?? '').slice(0, pathLengthMax),
  })
}

const pathLengthMax = 500

const placeOf = ({ id, method, ip }: FastifyRequest) => ({ requestId: id, method, remoteAddress: ip })

/** Reports an audited request that was let in. */
function reportAct(guard: Guard, request: FastifyRequest, { statusCode }: FastifyReply): void {
  const { access } = request.routeOptions.config
  if (!isAudited(access) || notLetIn.includes(statusCode)) return
  const [action] = access.actions
  const resource = access.resource?.(request.params as Readonly<Record<string, string>>)
  if (action === undefined || resource === undefined) return
  const outcome = statusCode < 400 ? 'success' : 'failure'
  const operation = `${request.method} ${request.routeOptions.url ?? ''}`
  guard.acted({ action, resource, caller: request.caller, outcome, operation, requestId: request.id })
}

/** The limits of a principal are checked before its rights. */
const notLetIn = [401, 403, 429]

const isAudited = (access: RouteAccess | undefined): access is DeclaredAccess =>
  typeof access === 'object' && access.isAudited === true
