import type { Action } from './action.ts'
import type { Resource } from './resource.ts'

/** Whether a principal may do something, and why: for errors and the audit trail. */
export interface Decision {
  readonly isAllowed: boolean
  /** `role service grants append on *.*`, or `no role of ada grants append on order.42`. */
  readonly reason: string
}

/** The streams of an aggregate type that a principal may use: all, none, or those with certain ids. */
export type StreamsAllowed = 'all' | 'none' | ((streamId: string) => boolean)

/** What a set of roles allows. Immutable: a change of access makes other rights. */
export interface Rights {
  /** Denied unless a rule grants it. A `category` is allowed if at least one stream of the type may be. */
  decide(action: Action, resource: Resource): Decision
  /** The streams of a type for which an action is allowed, to filter a category. */
  streamsOf(action: Action, type: string): StreamsAllowed
  /** Whether anything at all is allowed with streams of the type, to list types and partitions. */
  touchesType(type: string): boolean
  /** Equal texts: equal rights. */
  readonly fingerprint: string
}
