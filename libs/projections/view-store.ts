import type { Position } from '#domain'

import type { Generation, NewGeneration } from './generation.ts'
import type { SourcePartition } from './source-partition.ts'

/** What a store knows of a projection. A `Projection` of libs/domain is one. */
export interface StoredProjection {
  readonly name: string
  readonly indexNames: readonly string[]
}

/** The views of one generation. */
export interface ViewSet {
  readonly projection: StoredProjection
  readonly generation: string
}

/** A view as it is stored. */
export interface StoredView {
  /** The view as JSON. */
  readonly json: string
  /** Of the commit that last changed it: rises from commit to commit, over all views of the generation. */
  readonly revision: number
  /** Time of the event that last changed it; milliseconds since 1970. */
  readonly changedAtMs: number
  /** From then on it counts as gone. */
  readonly expiresAtMs?: number
}

export interface KeyedView extends StoredView {
  readonly key: string
}

export interface ViewChange {
  readonly key: string
  /** The revision that the change was made from; 0 where there was no view. */
  readonly expected: number
  /** JSON; null deletes the view. */
  readonly json: string | null
  /** A figure for each declared index; nothing for a deletion. */
  readonly indexes: Readonly<Record<string, number>>
  readonly changedAtMs: number
  readonly expiresAtMs?: number
}

/** An event that could not be applied and was set aside. */
export interface ParkedEvent {
  readonly position: Position
  /** Why; for people. */
  readonly error: string
  readonly parkedAtMs: number
}

/** One step in one source partition: all of it happens, or nothing. */
export interface ViewCommit {
  readonly source: SourcePartition
  /** The checkpoint that the step was made from; undefined where there was none. */
  readonly from: number | undefined
  /** The checkpoint afterwards: the next offset that is not applied yet. */
  readonly to: number
  readonly changes: readonly ViewChange[]
  readonly parked: readonly ParkedEvent[]
}

/**
 * `checkpoint-moved`: somebody else applied these events, or the store lost or regained state: begin anew from its checkpoint.
 * `view-changed`: one of the views is not as it was read: read and fold again. `held`: another generation is about to
 * take over: wait a moment. `gone`: there is no such generation any more, or it is retired.
 */
export type CommitOutcome = 'committed' | 'checkpoint-moved' | 'view-changed' | 'held' | 'gone'

/** Why a source partition of a generation stands still until somebody lets it go on. */
export interface Stop {
  readonly position: Position
  readonly error: string
  readonly stoppedAtMs: number
}

/** What a store holds of one generation. */
export interface GenerationState extends Generation {
  /** Next offset not applied yet, by {@link sourceKey}. */
  readonly checkpoints: ReadonlyMap<string, number>
  /** By {@link sourceKey}. */
  readonly stops: ReadonlyMap<string, Stop>
  readonly views: number
  readonly parked: number
  /** Views whose last change is not in the changelog yet. */
  readonly unpublished: number
}

export interface ViewLookup {
  /** Default: the one that serves. */
  readonly generation?: string
  /** The answer must count the event at this position. */
  readonly after?: Position
}

/** `no-generation`: there is none, or none of that id. `behind`: the event of `after` is not applied yet. */
export type Lookup<Found> =
  | { readonly outcome: 'found'; readonly generation: string; readonly found: Found }
  | { readonly outcome: 'no-generation' | 'behind' }

export interface ViewPageQuery extends ViewLookup {
  /** A declared index; without it views come in the order of their keys (by their UTF-8 bytes). Equal figures: by key. */
  readonly orderBy?: string
  /** Backwards, keys included. */
  readonly descending: boolean
  readonly limit: number
  /** The last view of the page before: its key and, by an index, its figure then. */
  readonly cursor?: { readonly key: string; readonly figure?: number }
}

export interface StoredViewPage {
  readonly views: readonly KeyedView[]
  /** For the next page; absent on the last. A page may be short although there is a next one. */
  readonly next?: { readonly key: string; readonly figure?: number }
}

/** A change that the changelog does not have yet. */
export interface UnpublishedView {
  readonly key: string
  readonly revision: number
  /** Null for a view that is gone. */
  readonly json: string | null
  readonly changedAtMs: number
}

/**
 * Where views, checkpoints and all that belongs to them are kept. Every method is atomic. All reject with
 * {@link ViewStoreUnavailableError} while the store does not answer; what was asked may have happened then, and the
 * checkpoint tells. Every store passes testing/view-store.contract.ts.
 */
export interface ViewStore {
  /** Makes room for a projection; before anything else, as often as one likes. */
  prepare(projection: StoredProjection): Promise<void>

  /** All generations, oldest first; none where nothing was made yet, or all of it was lost. */
  generations(projection: StoredProjection): Promise<readonly GenerationState[]>

  /**
   * Adds a generation. One without `until` serves at once where none does; else it is `building`, and another one that
   * was building is retired. One with `until` is `kept`. Where its id is taken, nothing happens.
   * Where the one that serves, or one that is building, has the same or a higher view version than it, and `ifNeeded` is true,
   * nothing is added either: so that of many instances that see the need one meets it.
   * @returns whether it was added.
   */
  addGeneration(
    projection: StoredProjection,
    generation: NewGeneration,
    options?: { readonly ifNeeded?: boolean },
  ): Promise<boolean>

  /**
   * Lets a building generation serve, and retires the one that did, as soon as its checkpoints have come at least as far
   * in every partition, so that readers never go back. Where they have not, the one that serves takes no commits for
   * `holdMs` from now: its commits are answered `held`, and the next call can succeed.
   * Partitions of topics whose id (`topicIds`) is another in the two generations are not compared: their log is another.
   */
  switchTo(set: ViewSet, holdMs: number): Promise<'switched' | 'behind' | 'gone'>

  /** Retires a generation that does not serve; for one that serves nothing happens. @returns whether it is retired. */
  retire(set: ViewSet): Promise<boolean>

  /**
   * Takes away up to `limit` views of a retired generation, and with the last of them all the rest of it. A key that
   * the serving generation does not have becomes unpublished there, so that the changelog learns that it is gone.
   * @returns whether the generation is gone.
   */
  discard(set: ViewSet, limit: number): Promise<boolean>

  /** Views by key, those that have expired included: what {@link commit} is made from. */
  read(set: ViewSet, keys: readonly string[]): Promise<ReadonlyMap<string, StoredView>>

  /** Changes views and the checkpoint in one step, and counts the views as unpublished. */
  commit(set: ViewSet, commit: ViewCommit): Promise<CommitOutcome>

  /** One view. Expired ones are not found. */
  view(
    projection: StoredProjection,
    key: string,
    lookup?: ViewLookup,
  ): Promise<Lookup<StoredView | undefined>>

  /** Views in order, page by page. */
  page(projection: StoredProjection, query: ViewPageQuery): Promise<Lookup<StoredViewPage>>

  /** Up to `limit` views whose last change is not in the changelog yet, each as it is now; in no order. */
  unpublished(set: ViewSet, limit: number): Promise<readonly UnpublishedView[]>

  /** These are in the changelog now. A view that has changed since (its revision tells) stays unpublished. */
  markPublished(set: ViewSet, published: readonly Pick<UnpublishedView, 'key' | 'revision'>[]): Promise<void>

  /** Deletes up to `limit` views that have expired at `nowMs`; the changelog learns of it. @returns how many. */
  expire(set: ViewSet, nowMs: number, limit: number): Promise<number>

  /** Notes why a partition stands still. */
  stop(set: ViewSet, source: SourcePartition, stop: Stop): Promise<void>

  /** Lets stopped partitions of all generations go on: all of them, or just one. @returns how many there were. */
  resume(projection: StoredProjection, source?: SourcePartition): Promise<number>

  /** Events that were set aside, oldest first by time, then by position; from the `offset`th on. */
  parked(
    set: ViewSet,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<readonly ParkedEvent[]>

  /**
   * Applies an event that was set aside: its changes are made, and it is set aside no more, in one step.
   * @returns `not-parked` where it is not set aside (any more): then it was applied already.
   */
  applyParked(
    set: ViewSet,
    position: Position,
    changes: readonly ViewChange[],
  ): Promise<'applied' | 'not-parked' | 'view-changed' | 'gone'>

  /** Gives up events that were set aside. @returns how many of them there were. */
  dropParked(set: ViewSet, positions: readonly Position[]): Promise<number>

  close(): Promise<void>
}
