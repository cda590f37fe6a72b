import type { Action, Caller, Credentials, Resource } from '#access'

/** What a guard learns about a request that it rejected. */
export interface Denial {
  readonly code: 'unauthenticated' | 'forbidden'
  readonly reason: string
  readonly action?: Action
  /** As `resourceText` writes it. */
  readonly resource?: string
  /** Absent if it is not known. */
  readonly caller?: Caller
  readonly requestId: string
  readonly method: string
  readonly path: string
  readonly remoteAddress: string
}

/** Something that an operator or administrator did, for the audit trail. */
export interface AdministrativeAct {
  readonly action: Action
  readonly resource: Resource
  readonly caller: Caller
  readonly outcome: 'success' | 'failure'
  readonly requestId: string
  /** Method and route: `POST /projections/:name/rebuild`. */
  readonly operation: string
}

/** Access control as HTTP sees it. A server without a guard is open. */
export interface Guard {
  /** Synchronous for API keys and certificates. @throws EventStoreError `unauthenticated`, `unavailable` */
  authenticate(credentials: Credentials): Caller | Promise<Caller>
  /** Neither waits nor throws. */
  denied(denial: Denial): void
  /** Neither waits nor throws. */
  acted(act: AdministrativeAct): void
}
