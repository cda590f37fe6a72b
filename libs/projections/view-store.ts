import type { Position, TopicPartition } from '#domain'

import type { Generation, NewGeneration } from './generation.ts'

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
  /** The view as JSON; comes back as the same data, maybe with other white space or its members in another order. */
  readonly json: string
  /** Of the step that last changed it: rises from step to step, over all views of the generation. From 1. */
  readonly revision: number
  /** Time of the event that last changed it; milliseconds since 1970. */
  readonly changedAtMs: number
  /** From then on readers do not get it; it is there for {@link ViewStore.read} until {@link ViewStore.expire} deletes it. */
  readonly expiresAtMs?: number
}

export interface KeyedView extends StoredView {
  readonly key: string
  /** On a page by an index: the figure that places the view. */
  readonly figure?: number
}

export interface ViewChange {
  /** Not empty, at most 1,024 bytes in UTF-8, well-formed Unicode without U+0000: callers see to that. */
  readonly key: string
  /** The revision that the change was made from; 0 where there was no view. */
  readonly expected: number
  /** JSON; null deletes the view, if there is one. */
  readonly json: string | null
  /** A finite figure for each declared index; nothing for a deletion. */
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
  readonly source: TopicPartition
  /** The checkpoint that the step was made from; undefined where there was none. */
  readonly from: number | undefined
  /** The checkpoint afterwards: the next offset that is not applied yet. */
  readonly to: number
  /** Each key once. */
  readonly changes: readonly ViewChange[]
  readonly parked: readonly ParkedEvent[]
}

/**
 * `checkpoint-moved`: somebody else applied these events, or the store lost or regained state: begin anew from its checkpoint.
 * `view-changed`: one of the views is not as it was read: read and fold again. `held`: another generation is about to
 * take over: wait a moment. `gone`: there is no such generation any more, or it is retired.
 * Where several are true: `gone` before `checkpoint-moved` before `held` before `view-changed`.
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
  /** Those that have expired included, as long as they are there. */
  readonly views: number
  readonly parked: number
  /** Views, and deletions of views, that are not in the changelog yet. */
  readonly unpublished: number
  /**
   * What is missing of it, for people: somebody has dropped or emptied a part of it behind the store's back. It takes no commits and is
   * not looked up; {@link ViewStore.addGeneration} with `insteadOf` replaces it.
   */
  readonly damage?: string
}

export interface AddOptions {
  /** Where the one that serves, or one that is building, has the same or a higher view version, nothing is added. */
  readonly ifNeeded?: boolean
  /** The generation that is retired in the same step, whatever its status; where it is not there, or is retired already, nothing is added. */
  readonly insteadOf?: string
}

export interface ViewLookup {
  /** Any that is not retired; default: the one that serves. */
  readonly generation?: string
  /** The answer must count the event at this position: the checkpoint of its partition is beyond it. */
  readonly after?: Position
}

/** `no-generation`: none serves, or the one of that id is not there or retired. `behind`: the event of `after` is not applied yet. */
export type Lookup<Found> =
  | { readonly outcome: 'found'; readonly generation: string; readonly found: Found }
  | { readonly outcome: 'no-generation' | 'behind' }

export interface ViewPageQuery extends ViewLookup {
  /**
   * A declared index; without it views come in the order of their keys (by their UTF-8 bytes). Equal figures: by key.
   * Views without a figure for it, because the generation's definition did not declare it, are left out.
   */
  readonly orderBy?: string
  /** Backwards, keys included. */
  readonly descending: boolean
  readonly limit: number
  /** The last view of the page before: its key and, by an index, its figure then. The page begins right after that place. */
  readonly cursor?: { readonly key: string; readonly figure?: number }
}

export interface StoredViewPage {
  readonly views: readonly KeyedView[]
  /** For the next page; absent on the last. A page may be short although there is a next one, and the last may be empty. */
  readonly next?: { readonly key: string; readonly figure?: number }
}

/** What became of a view by a change that the changelog does not have yet. */
export interface UnpublishedView {
  readonly key: string
  /** Of the step that changed or deleted it. */
  readonly revision: number
  /** Null for a view that is gone. */
  readonly json: string | null
  readonly changedAtMs: number
}

/**
 * Where views, checkpoints and all that belongs to them are kept. Every method is atomic. All reject with
 * {@link ViewStoreUnavailableError} while the store does not answer; what was asked may have happened then, and the
 * checkpoint tells. Every store passes testing/view-store.contract.ts.
 *
 * A retired generation takes no commits and is not looked up; all else can be done with it until it is discarded.
 * With a generation that is not there nothing happens and nothing is found, unless a method says otherwise.
 */
export interface ViewStore {
  /** Makes room for a projection; before anything else, as often as one likes. */
  prepare(projection: StoredProjection): Promise<void>

  /** All generations in the order of their ids: oldest first; none where nothing was made yet, or all of it was lost. */
  generations(projection: StoredProjection): Promise<readonly GenerationState[]>

  /**
   * Adds a generation. One without `until` serves at once where none does; else it is `building`, and another one that
   * was building is retired. One with `until` is `kept`. Where its id is taken, nothing happens.
   * The options let one of many instances that see a need meet it.
   * @returns whether it was added.
   */
  addGeneration(
    projection: StoredProjection,
    generation: NewGeneration,
    options?: AddOptions,
  ): Promise<boolean>

  /**
   * Lets a building generation serve, and retires the one that did, as soon as its checkpoints have come at least as far
   * in every partition, so that readers never go back; no checkpoint counts as 0. Where they have not, the one that serves
   * takes no commits for `holdMs` from now, whatever an earlier call said: its commits are answered `held`, and the next
   * call can succeed.
   * Partitions of topics whose id (`topicIds`) is another in the two generations, or is missing in one of them, are not
   * compared: their log is another.
   * @returns `switched` also for one that serves already; `gone` for one that is kept, retired or not there.
   */
  switchTo(set: ViewSet, holdMs: number): Promise<'switched' | 'behind' | 'gone'>

  /** Retires a generation that does not serve; for one that serves nothing happens. @returns whether it is retired now. */
  retire(set: ViewSet): Promise<boolean>

  /**
   * Takes away up to `limit` keys of a retired generation, and with the last of them all the rest of it: keys of views,
   * and of deletions that the changelog does not have yet. Where the serving generation has no view under one of them, it
   * becomes unpublished there, as gone, unless it is already: so the changelog learns of it. Only a retired one is taken away.
   * @returns whether the generation is gone.
   */
  discard(set: ViewSet, limit: number): Promise<boolean>

  /** Views by key, those that have expired included: what {@link commit} is made from. */
  read(set: ViewSet, keys: readonly string[]): Promise<ReadonlyMap<string, StoredView>>

  /**
   * Changes views and the checkpoint in one step. The key of each change is unpublished then, also where the view is as
   * before or a deletion found none.
   */
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

  /** These are in the changelog now. A view that has changed or gone since (its revision tells) stays unpublished. */
  markPublished(set: ViewSet, published: readonly Pick<UnpublishedView, 'key' | 'revision'>[]): Promise<void>

  /** Deletes up to `limit` views that have expired at `nowMs`; it counts as a change at `nowMs`, unpublished. @returns how many. */
  expire(set: ViewSet, nowMs: number, limit: number): Promise<number>

  /** Notes why a partition stands still, in place of an earlier note. Commits are taken as before. */
  stop(set: ViewSet, source: TopicPartition, stop: Stop): Promise<void>

  /** Lets stopped partitions of all generations go on: all of them, or just one. @returns how many were stopped. */
  resume(projection: StoredProjection, source?: TopicPartition): Promise<number>

  /** Events that were set aside, oldest first by time, then by position; from the `offset`th on. */
  parked(
    set: ViewSet,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<readonly ParkedEvent[]>

  /**
   * Applies an event that was set aside: its changes are made as by {@link commit}, and it is set aside no more, in one
   * step. The checkpoint is beyond it and stays; a generation that is held takes it.
   * @returns `gone` as by {@link commit}; else `not-parked` where it is not set aside (any more): then it was applied
   * already, or dropped; else `view-changed`.
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
