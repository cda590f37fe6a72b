/**
 * A history: what clients asked of the system under test, what they were answered, and when. The harness records it, the
 * checker judges it together with {@link Remains}. It knows nothing of the product: plain values only.
 *
 * Times are milliseconds (with fractions) of one monotonic clock, the harness's own.
 */
export type Operation = AppendOperation | ReadOperation | StateOperation | ViewOperation

interface Called {
  /** Unique in the history, in the order of the calls. */
  readonly op: number
  readonly client: number
  readonly calledAtMs: number
  /** When the client knew the outcome: an answer, or that it gives up. */
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

/** One request to append. The same ids in a later operation are a retry of it. */
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
    /** Answered that nothing was appended. `actualVersion` where a wrong expected version is the reason. */
    | { readonly is: 'refused'; readonly code: string; readonly actualVersion?: number }
    | Unknown
}

/** No answer, or one that leaves it open: an append may be in the log or not, a read says nothing. */
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

/** A load: snapshot and tail, folded. Version 0 where there is no stream. */
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

/** What is left when all clients have ended and everything has caught up. */
export interface Remains {
  /** Every record of the event topics, stray ones too, in the order of each partition. */
  readonly log: readonly LoggedEvent[]
  /** Where terms begin and are renewed. */
  readonly markers: readonly LoggedMarker[]
  /** Where each partition begins: past 0 its head was deleted. */
  readonly starts: readonly LogPosition[]
  /** What the index in Redis holds. */
  readonly index: readonly IndexedStream[]
  /** The newest snapshot of each stream: from its topic, and from Redis. */
  readonly snapshots: readonly StoredSnapshot[]
  /** Every view of every projection, as they are served. */
  readonly views: readonly StoredView[]
  /** What the projections are folds of. */
  readonly projections: readonly KnownProjection[]
}

/** A projection of the customers' purchases: each stream's totals by the id of its aggregate, or all sales by month. */
export interface KnownProjection {
  readonly name: string
  /** Aggregate type whose events it folds. */
  readonly source: string
  readonly keyedBy: 'stream' | 'month'
}

export interface LoggedEvent extends LogPosition, AppendedEvent {
  readonly streamId: string
  readonly version: number
  /** Of its batch. */
  readonly producer: Producer
  /** Where its batch begins; undefined: a batch of its own. */
  readonly batchOffset?: number
}

/** The end of an empty transaction: all that its producer wrote before it, and nobody else, owns what follows. */
export interface LoggedMarker extends LogPosition {
  readonly producer: Producer
  /** By the broker's clock, since 1970. */
  readonly timestampMs: number
}

/** Id and epoch as they stand in a batch; -1 where its producer has none. */
export interface Producer {
  readonly id: string
  readonly epoch: number
}

export interface IndexedStream {
  readonly streamId: string
  readonly version: number
  /** Of version 1, 2, 3 … */
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
