import type { Position } from '#domain'

import type { GenerationStatus } from './view-store/generation.ts'

/** A view as readers get it. */
export interface View<Data = unknown> {
  readonly key: string
  readonly view: Data
  /** Time of the event that last changed it: ISO 8601. */
  readonly changedAt: string
}

export interface ViewOptions {
  /** Wait until the event at this position is applied: the `position` of an append's answer. */
  readonly after?: Position
  /** How long to wait for it. The server sets default and bound. */
  readonly timeoutMs?: number
  /** A generation other than the serving one: a look at the past. */
  readonly generation?: string
}

export interface ViewsQuery extends ViewOptions {
  /** A declared index; default: by key. */
  readonly orderBy?: string
  readonly descending?: boolean
  /** 1 to 1,000; default 100. */
  readonly limit?: number
  /** `next` of the previous page. */
  readonly cursor?: string
}

export interface ViewsPage<Data = unknown> {
  readonly views: readonly View<Data>[]
  /** The cursor of the next page; absent on the last. */
  readonly next?: string
}

/** One change of a view, as a subscriber gets it. */
export interface ViewUpdate<Data = unknown> {
  readonly key: string
  /** Null: the view is gone. */
  readonly view: Data | null
  readonly changedAt: string
  /** Resumes right after this change. */
  readonly cursor: string
}

export interface UpdatesQuery {
  /** Start right after this change. Default: with all current views, in the order of their last change. */
  readonly cursor?: string
  /** Only this view. */
  readonly key?: string
}

/** Progress of a generation in one source partition. */
export interface PartitionInfo {
  readonly topic: string
  readonly partition: number
  /** The next offset that is not applied yet. */
  readonly checkpoint: number
  /** Offsets up to the end of the log; 0: caught up. */
  readonly lag: number
  readonly stopped?: { readonly position: string; readonly error: string; readonly since: string }
}

export interface GenerationInfo {
  readonly id: string
  readonly status: GenerationStatus
  readonly viewVersion: number
  readonly createdAt: string
  /** What it lacks; another generation replaces it. */
  readonly damage?: string
  readonly views: number
  readonly deadLetters: number
  readonly progress: Progress
  readonly partitions: readonly PartitionInfo[]
}

/** Counted in offsets: events and a few markers. */
export interface Progress {
  readonly done: number
  readonly total: number
  /** Per second since the generation was created. */
  readonly rate: number
  /** Absent when nothing moves or nothing is left. */
  readonly etaSeconds?: number
}

export interface ProjectionInfo {
  readonly name: string
  readonly sources: readonly string[]
  readonly keyedBy: 'stream' | 'across'
  readonly viewVersion: number
  readonly indexes: readonly string[]
  /** The generation that readers get. Absent until one serves. */
  readonly serving?: string
  readonly generations: readonly GenerationInfo[]
  /** Sources that are not read until an operator acts. Absent when there are none. */
  readonly waitForOperator?: readonly WaitingSource[]
}

interface WaitingSource {
  readonly topic: string
  /** Absent: the whole topic. */
  readonly partition?: number
  readonly state: string
  /** What happened, and what to do. */
  readonly reason: string
}

export interface RebuildOptions {
  /** For a look at the past: events before this time (ISO 8601) … */
  readonly untilTime?: string
  /** … or up to and with this one: in its partition by offset, in the others by its time. Views are kept until discarded. */
  readonly untilPosition?: Position
}

export interface DeadLetter {
  readonly position: string
  readonly error: string
  readonly at: string
}

export interface DeadLetterRetry {
  readonly applied: number
  /** Those that failed again, with the new error; they stay. */
  readonly failed: readonly DeadLetter[]
}

/**
 * What readers and operators can do with projections: the port that HTTP serves and the SDK offers.
 * All methods reject with an error of the event store's table: `invalid-request`, or a {@link ProjectionErrorCode} such as
 * `projection-not-found`, `view-not-found`, `generation-not-found`, `unavailable`, or `projection-behind` where the event of
 * `after` was not applied in time. The projector throws these as {@link ProjectionError}.
 */
export interface ProjectionsApi {
  list(): Promise<readonly ProjectionInfo[]>
  describe(name: string): Promise<ProjectionInfo>
  view(name: string, key: string, options?: ViewOptions): Promise<View>
  views(name: string, query?: ViewsQuery): Promise<ViewsPage>
  /** Live updates without loss. Intermediate changes of a view may be skipped when it changes faster than it is read, but never its last one. */
  updates(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncIterable<ViewUpdate>
  /**
   * The cursor right after the newest change: with it {@link updates} brings only later changes. A subscriber has it before
   * the first change, so that nothing is lost if its connection breaks before that.
   */
  cursorNow(name: string): Promise<string>
  /** Builds a new generation beside the serving one. @returns its id. */
  rebuild(name: string, options?: RebuildOptions): Promise<{ readonly generation: string }>
  /** Discards a generation that is not serving. */
  discard(name: string, generation: string): Promise<void>
  /** Resumes stopped partitions. @returns how many were stopped. */
  resume(name: string): Promise<{ readonly resumed: number }>
  /** Dead letters of the serving generation, oldest first. */
  deadLetters(
    name: string,
    page?: { readonly offset?: number; readonly limit?: number },
  ): Promise<readonly DeadLetter[]>
  /** @param positions which; default: the oldest 1,000. */
  retryDeadLetters(name: string, positions?: readonly Position[]): Promise<DeadLetterRetry>
  /** Drops them; they cannot be retried afterwards. @returns how many. */
  dropDeadLetters(name: string, positions: readonly Position[]): Promise<{ readonly dropped: number }>
}
