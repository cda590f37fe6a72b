/**
 * A history: the requests of clients to the system under test, the responses, and their times. The harness records it,
 * and the checker judges it together with {@link Remains}. It does not depend on the product: plain values only.
 *
 * Times are milliseconds (with fractions) of one monotonic clock, that of the harness.
 */
export type Operation = AppendOperation | ReadOperation | StateOperation | ViewOperation

interface Called {
  /** Unique in the history, in the order of the calls. */
  readonly op: number
  readonly client: number
  readonly calledAtMs: number
  /** When the client knew the outcome: a response, or that it gave up. */
  readonly endedAtMs: number
}

export type ExpectedVersion = number | 'any' | 'no-stream' | 'stream-exists'

export interface LogPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface AppendedEvent {
  readonly id: string
  readonly type: string
  /** In JSON form. */
  readonly data: Readonly<Record<string, unknown>>
}

/** One append request. A later operation with the same ids is a retry. */
export interface AppendOperation extends Called {
  readonly kind: 'append'
  readonly streamId: string
  readonly expectedVersion: ExpectedVersion
  readonly events: readonly AppendedEvent[]
  readonly outcome:
    | {
        readonly is: 'acknowledged'
        readonly firstVersion: number
        readonly lastVersion: number
        readonly position: LogPosition
        readonly eventIds: readonly string[]
        readonly duplicate: boolean
      }
    /** Rejected, and nothing was appended. `actualVersion` is set if the expected version was wrong. */
    | { readonly is: 'refused'; readonly code: string; readonly actualVersion?: number }
    | Unknown
}

/** No response, or an inconclusive one: an append may or may not be in the log, a read says nothing. */
export interface Unknown {
  readonly is: 'unknown'
  readonly code: string
}

/** The events of a stream from a version on, page by page until its end. */
export interface ReadOperation extends Called {
  readonly kind: 'read'
  readonly streamId: string
  readonly fromVersion: number
  readonly outcome:
    | {
        readonly is: 'answered'
        readonly events: readonly { readonly version: number; readonly id: string }[]
      }
    | Unknown
}

/** A load: snapshot and tail, folded. Version 0 if there is no stream. */
export interface StateOperation extends Called {
  readonly kind: 'state'
  readonly streamId: string
  readonly outcome: { readonly is: 'answered'; readonly version: number; readonly state: unknown } | Unknown
}

/** A read of a view, with or without the token of an append that it must include. */
export interface ViewOperation extends Called {
  readonly kind: 'view'
  readonly projection: string
  readonly key: string
  readonly after?: LogPosition
  readonly outcome: { readonly is: 'answered'; readonly view: unknown } | Unknown
}

/** The state that remains when all clients have ended and everything has caught up. */
export interface Remains {
  /** Every record of the event topics, including stray ones, in the order of each partition. */
  readonly log: readonly LoggedEvent[]
  /** Where terms start and are renewed. */
  readonly markers: readonly LoggedMarker[]
  /** The start of each partition: above 0 if its head was deleted. */
  readonly starts: readonly LogPosition[]
  /** The content of the index in Redis. */
  readonly index: readonly IndexedStream[]
  /** The newest snapshot of each stream: from its topic, and from Redis. */
  readonly snapshots: readonly StoredSnapshot[]
  /** Every view of every projection, as served. */
  readonly views: readonly StoredView[]
  /** How to compute the projections. */
  readonly projections: readonly KnownProjection[]
}

/** A projection of the customers' purchases: each stream's totals by aggregate id, or all sales by month. */
export interface KnownProjection {
  readonly name: string
  /** The aggregate type whose events it folds. */
  readonly source: string
  readonly keyedBy: 'stream' | 'month'
}

export interface LoggedEvent extends LogPosition, AppendedEvent {
  readonly streamId: string
  readonly version: number
  /** The producer of its batch. */
  readonly producer: Producer
  /** The offset of its batch; undefined if the event is a batch by itself. */
  readonly batchOffset?: number
}

/** The end of an empty transaction: its producer owns what follows, until the next marker. */
export interface LoggedMarker extends LogPosition {
  readonly producer: Producer
  /** By the broker's clock, since 1970. */
  readonly timestampMs: number
}

/** Id and epoch from a batch; -1 if its producer has none. */
export interface Producer {
  readonly id: string
  readonly epoch: number
}

export interface IndexedStream {
  readonly streamId: string
  readonly version: number
  /** Offsets of versions 1, 2, 3 … */
  readonly offsets: readonly number[]
}

export interface StoredSnapshot {
  readonly from: 'topic' | 'redis'
  readonly streamId: string
  readonly version: number
  readonly state: unknown
}

export interface StoredView {
  readonly projection: string
  readonly key: string
  readonly view: unknown
}
