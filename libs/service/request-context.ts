import type { IncomingHttpHeaders } from 'node:http'

import type { Caller } from '#access'

import { internalCaller } from './internal-caller.ts'

/** Where a request comes from. */
export interface RequestContext {
  /** Another instance forwarded the request. It is not forwarded again: what this instance does not own is `not-owner`. */
  readonly forwarded: boolean
  /** In whose name it is answered, and forwarded. */
  readonly caller: Caller
}

/** A request of this process itself. */
export const ownContext: RequestContext = { forwarded: false, caller: internalCaller('annals-service') }

/**
 * The context of a request. An instance that forwards a request sets the header `annals-forwarded`. It counts only from a sender that
 * has proved to be a peer, or if access control is off.
 */
export const contextOf = ({
  headers,
  caller,
}: {
  readonly headers: IncomingHttpHeaders
  readonly caller: Caller
}): RequestContext => {
  const isFromPeer = caller.isForwarded || caller.principal.kind === 'peer'
  return { forwarded: isFromPeer && headers['annals-forwarded'] === '1', caller }
}
