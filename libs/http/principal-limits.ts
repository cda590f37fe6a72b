import type { Readable } from 'node:stream'

import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

import type { EventStoreError } from '#event-store'
import type { Allowance, InProgress, LimitName, PrincipalLimits } from '#limits'

import { isChange } from './change.ts'
import { meterBody } from './metered-body.ts'
import { isProbePath } from './probe-paths.ts'
import { admitSubscriber } from './subscribers.ts'

/** What a request counts as. */
type Kind = 'append' | 'change' | 'read' | 'subscription'

/** What a request uses of its principal's limits. */
interface Use {
  readonly kind: Kind
  readonly allowance: Allowance
  /** Bytes of the body that were taken. */
  bytes: number
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** As what requests of the route count. Absent: they do not count. */
    countedAs?: Kind
  }
  interface FastifyRequest {
    /** Undefined: the request is not limited. */
    use: Use | undefined
  }
}

const inProgress: Readonly<Record<Kind, InProgress>> = {
  append: 'changes',
  change: 'changes',
  read: 'reads',
  subscription: 'subscribers',
}

/** Reported in the header `RateLimit` of the answer. */
const limitsOf: Readonly<Record<Kind, readonly LimitName[]>> = {
  append: ['requests', 'events', 'bytes'],
  change: ['requests'],
  read: ['requests', 'reads'],
  subscription: ['requests', 'subscribers'],
}

/**
 * Bounds what each principal uses. Must follow the hook that authenticates, and precede the one that decides: denied
 * requests count too. Not limited are public routes (probes, pages, proofs of peers), metrics, and what peers send or
 * forward: the process that a client asked has counted it.
 *
 * A rejected append uses one request, but no bytes and no events. An accepted one uses them whatever its result is.
 */
export function limitPrincipals(app: FastifyInstance, limits: PrincipalLimits | undefined): void {
  app.decorateRequest('use', undefined)
  if (limits === undefined) return
  const meter = new UseMeter(limits)
  app.addHook('onRoute', classify)
  app.addHook('onRequest', (request, reply, done) => done(meter.begin(request, reply)))
  app.addHook('preParsing', (request, reply, payload, done) => {
    const metered = meter.takeBytes(request, reply, payload)
    if (metered instanceof Error) done(metered)
    else done(null, metered)
  })
  app.addHook('preValidation', (request, _reply, done) => done(meter.takeEvents(request)))
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (request.use !== undefined) report(request.use, reply)
    done()
  })
}

function classify(route: RouteOptions): void {
  const { access } = route.config ?? {}
  if (access === undefined || access === 'public' || isProbePath(route.url)) return
  route.config = { ...route.config, countedAs: kindOf(route) }
}

function kindOf({ method, onRequest, config }: RouteOptions): Kind {
  if ([onRequest].flat().includes(admitSubscriber)) return 'subscription'
  if (![method].flat().some(isChange)) return 'read'
  const { access } = config ?? {}
  return typeof access === 'object' && access.actions.includes('append') ? 'append' : 'change'
}

/** Takes from the allowance of a request's principal. */
class UseMeter {
  readonly #limits: PrincipalLimits

  constructor(limits: PrincipalLimits) {
    this.#limits = limits
  }

  /** Counts a request until its response is closed. @throws EventStoreError `overloaded` */
  begin(request: FastifyRequest, reply: FastifyReply): EventStoreError | undefined {
    const kind = request.routeOptions.config.countedAs
    const { caller, raw } = request
    if (kind === undefined || caller.isForwarded || caller.principal.kind === 'peer') return undefined
    const allowance = this.#limits.of(caller.principal)
    if (allowance === undefined) return undefined
    request.use = { kind, allowance, bytes: 0 }
    const exceeded = allowance.take('requests', 1)
    if (exceeded !== undefined) return this.#reject(request, 'requests', exceeded)
    // A response that is closed already emits no further `close`.
    if (raw.socket.destroyed || reply.raw.destroyed) return undefined
    const what = inProgress[kind]
    const tooMany = allowance.begin(what)
    if (tooMany !== undefined && what !== 'changes') return this.#reject(request, what, tooMany)
    reply.raw.once('close', () => allowance.end(what))
    return undefined
  }

  /** Takes the bytes of an append before they are read. @returns the body to read, or why it must not be read */
  takeBytes(request: FastifyRequest, reply: FastifyReply, payload: Readable): Readable | Error {
    const { use } = request
    if (use?.kind !== 'append' || !use.allowance.has('bytes')) return payload
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
    if (encoding === undefined) return this.#takeDeclared(request, use, Number(length ?? 0)) ?? payload
    // Like a large body of known size, it may exceed the whole limit if it begins with a full bucket.
    const mayExceed = use.allowance.isFull('bytes')
    return meterBody(payload, reply.raw, (bytes) => this.#takeChunk(request, use, bytes, mayExceed))
  }

  takeEvents(request: FastifyRequest): EventStoreError | undefined {
    const { use } = request
    if (use?.kind !== 'append' || !use.allowance.has('events')) return undefined
    const exceeded = use.allowance.take('events', eventsIn(request.body))
    if (exceeded === undefined) return undefined
    use.allowance.giveBack('bytes', use.bytes)
    return this.#reject(request, 'events', exceeded)
  }

  #takeDeclared(request: FastifyRequest, use: Use, bytes: number): EventStoreError | undefined {
    // It is rejected for its size, and never read.
    if (bytes > request.routeOptions.bodyLimit) return undefined
    const exceeded = use.allowance.take('bytes', bytes)
    if (exceeded !== undefined) return this.#reject(request, 'bytes', exceeded)
    use.bytes = bytes
    return undefined
  }

  #takeChunk(request: FastifyRequest, use: Use, bytes: number, mayExceed: boolean): Error | undefined {
    const { allowance } = use
    if (mayExceed) allowance.force('bytes', bytes)
    else if (allowance.take('bytes', bytes) !== undefined) {
      allowance.giveBack('bytes', use.bytes)
      return this.#reject(request, 'bytes', allowance.exceeded('bytes', use.bytes + bytes))
    }
    use.bytes += bytes
    return undefined
  }

  #reject(request: FastifyRequest, limit: LimitName, error: EventStoreError): EventStoreError {
    const { use, caller } = request
    if (use !== undefined && this.#limits.rejected(use.allowance, limit)) {
      request.log.warn(
        { principal: caller.principal.name, limit, reason: error.message },
        'a principal has reached a limit; its further rejections are only counted for a minute',
      )
    }
    return error
  }
}

/** Events in the body of an append, which is not validated yet. */
function eventsIn(body: unknown): number {
  const { events, appends } = membersOf(body)
  if (Array.isArray(events)) return events.length
  if (!Array.isArray(appends)) return 0
  return appends.reduce<number>((sum, append) => {
    const { events: some } = membersOf(append)
    return sum + (Array.isArray(some) ? some.length : 0)
  }, 0)
}

const membersOf = (value: unknown): { readonly events?: unknown; readonly appends?: unknown } =>
  typeof value === 'object' && value !== null ? value : {}

function report({ kind, allowance }: Use, reply: FastifyReply): void {
  const retryAfter = reply.statusCode === 429 ? Number(reply.getHeader('retry-after') ?? 1) : 1
  void reply.header('ratelimit-policy', allowance.policy)
  const state = allowance.state(limitsOf[kind], retryAfter)
  if (state !== '') void reply.header('ratelimit', state)
}
