import type { AccessDocument } from '#access'

/** An entry of the store that is not in force, or only in part. */
export interface AccessProblem {
  /** `key:…`, `role:…`, `certificate:…`, or the name of the topic or file. */
  readonly entry: string
  readonly message: string
}

/** How well a process knows who may do what. */
export interface AccessState {
  /**
   * - `unread`: nothing was read yet, so nobody is admitted.
   * - `current`: what is in the store is in force, except for the problems.
   * - `stale`: the last state is in force, but later changes may be missing.
   * - `replaced`: as `stale`, and only a restart ends it: the store was deleted and created again, so it may lack revocations.
   */
  readonly status: 'unread' | 'current' | 'stale' | 'replaced'
  /** `topic annals.access`, `file /etc/annals/access.json`. */
  readonly source: string
  /** Milliseconds since the epoch. If `stale` or `replaced`: when the store was last read. */
  readonly sinceMs: number
  /** Why the status is not `current`, and what to do. */
  readonly reason?: string
  /** At most 100. */
  readonly problems: readonly AccessProblem[]
  /** How many problems are not listed. */
  readonly problemsLeftOut: number
}

/** Follows the store of access, so that a change is in force in this process within seconds. */
export interface AccessSource {
  /** The state in force; undefined if none was ever read. It is replaced as a whole. */
  readonly current: AccessDocument | undefined
  readonly state: AccessState
  /** Resolves after the first attempt to read, which `state` describes. It never rejects; attempts go on until {@link stop}. */
  start(): Promise<void>
  /** `current` stays as it is. */
  stop(): Promise<void>
  /** Calls the listener after every change of `current`. What it throws is ignored. @returns a function that ends this */
  onChange(listener: (current: AccessDocument) => void): () => void
}
