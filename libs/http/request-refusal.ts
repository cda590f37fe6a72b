import type { Problem, Retry } from '#event-store'

interface RefusalKind {
  readonly status: number
  readonly title: string
  readonly retry: Retry
}

/** Rejections by HTTP itself. No method of the store causes them, so they are not in its table. */
const kinds = {
  'route-not-found': { status: 404, title: 'There is no such route', retry: 'never' },
  'host-not-allowed': { status: 421, title: 'The Host is not a name of this service', retry: 'never' },
  'origin-not-allowed': { status: 403, title: 'A page of another origin sent the request', retry: 'never' },
  'content-type-not-json': { status: 415, title: 'A change must be sent as JSON', retry: 'never' },
  'content-encoding-not-supported': { status: 415, title: 'A body must not be compressed', retry: 'never' },
  'precondition-not-supported': {
    status: 400,
    title: 'Preconditions in headers are not supported',
    retry: 'never',
  },
  'request-timeout': { status: 408, title: 'The request was not complete in time', retry: 'never' },
  'headers-too-large': {
    status: 431,
    title: 'The headers are larger than this server accepts',
    retry: 'never',
  },
  'request-malformed': { status: 400, title: 'The request is not valid HTTP/1.1', retry: 'never' },
  'https-required': { status: 400, title: 'The port speaks HTTPS only', retry: 'never' },
  'too-many-connections': { status: 429, title: 'Too many connections from one address', retry: 'same-ids' },
  'server-full': { status: 503, title: 'Too many connections', retry: 'same-ids' },
  'too-many-bytes': { status: 503, title: 'Too many bytes of bodies at a time', retry: 'same-ids' },
} as const satisfies Record<string, RefusalKind>

export type RefusalCode = keyof typeof kinds

/** All codes of problems that are not errors of the store. */
export const refusalCodes = Object.keys(kinds) as readonly RefusalCode[]

/** The problem document of a rejection. @param detail what is wrong, where, and what to do */
export const refusalProblem = (code: RefusalCode, detail: string): Problem => {
  const { status, title, retry } = kinds[code]
  const problem = { type: `urn:annals:problem:${code}`, title, status, detail, code, retry }
  return retry === 'never' ? problem : { ...problem, retryAfterSeconds: 1 }
}

/** A request that HTTP rules reject, whatever it requests. */
export class RequestRefusal extends Error {
  override readonly name = 'RequestRefusal'
  readonly problem: Problem

  constructor(code: RefusalCode, detail: string) {
    super(detail)
    this.problem = refusalProblem(code, detail)
  }
}
