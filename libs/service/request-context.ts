import type { IncomingHttpHeaders } from 'node:http'

/** Where a request comes from. */
export interface RequestContext {
  /** Another instance forwarded the request. It is not forwarded again: what this instance does not own is `not-owner`. */
  readonly forwarded: boolean
}

/** A request that comes from a client. */
export const fromCaller: RequestContext = { forwarded: false }
const fromPeer: RequestContext = { forwarded: true }

/** The context of a request. An instance that forwards a request sets the header `annals-forwarded`. */
export const contextOf = ({ headers }: { readonly headers: IncomingHttpHeaders }): RequestContext =>
  headers['annals-forwarded'] === '1' ? fromPeer : fromCaller
