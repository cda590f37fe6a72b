import type { Position, TopicPartition } from '#domain'

import type { ParkedEvent } from './parked-event.ts'
import type { StoredProjection, ViewSet } from './view-set.ts'

/** A view as it is stored. */
export interface StoredView {
  /** The view as JSON. It comes back as the same data, possibly with other white space or another order of members. */
  readonly json: string
  /** Of the step that last changed it. Rises from step to step, over all views of the generation, from 1. */
  readonly revision: number
  /** Time of the event that last changed it; milliseconds since 1970. */
  readonly changedAtMs: number
  /** From then on readers do not get it; {@link Views.read} returns it until {@link Views.expire} deletes it. */
  readonly expiresAtMs?: number
}

/** Whether readers no longer get a view at a time. */
export const hasExpired = ({ expiresAtMs }: Pick<StoredView, 'expiresAtMs'>, nowMs: number): boolean =>
  expiresAtMs !== undefined && expiresAtMs <= nowMs

export interface KeyedView extends StoredView {
  readonly key: string
  /** On a page by an index: the figure that places the view. */
  readonly figure?: number
}

export interface ViewChange {
  /** Not empty, at most 1,024 bytes in UTF-8, well-formed Unicode without U+0000: the caller's responsibility. */
  readonly key: string
  /** The revision that the change was made from; 0 if there was no view. */
  readonly expected: number
  /** JSON; null deletes the view, if it exists. */
  readonly json: string | null
  /** A finite figure for each declared index; none for a deletion. */
  readonly indexes: Readonly<Record<string, number>>
  readonly changedAtMs: number
  readonly expiresAtMs?: number
}

/** One step in one source partition: all of it happens, or nothing. */
export interface ViewCommit {
  readonly source: TopicPartition
  /** The checkpoint that the step was made from; undefined if there was none. */
  readonly from: number | undefined
  /** The checkpoint afterwards: the next offset that is not applied yet. */
  readonly to: number
  /** Each key once. */
  readonly changes: readonly ViewChange[]
  readonly parked: readonly ParkedEvent[]
}

/**
 * `checkpoint-moved`: another instance applied these events, or the store lost or regained state: resume from its checkpoint.
 * `view-changed`: one of the views has changed since it was read: read and fold again. `held`: another generation is about
 * to take over: wait a moment. `gone`: the generation does not exist any more, or is retired.
 * If several are true: `gone` before `checkpoint-moved` before `held` before `view-changed`.
 */
export type CommitOutcome = 'committed' | 'checkpoint-moved' | 'view-changed' | 'held' | 'gone'

export interface ViewLookup {
  /** Any that is not retired; default: the serving one. */
  readonly generation?: string
  /** The answer must include the event at this position: the checkpoint of its partition is past it. */
  readonly after?: Position
}

/** `no-generation`: none serves, or the named one does not exist or is retired. `behind`: the event of `after` is not applied yet. */
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
  /** The last view of the previous page: its key and, by an index, its figure then. The page begins right after that place. */
  readonly cursor?: { readonly key: string; readonly figure?: number }
}

export interface StoredViewPage {
  readonly views: readonly KeyedView[]
  /** For the next page; absent on the last. A page may be short although there is a next one, and the last may be empty. */
  readonly next?: { readonly key: string; readonly figure?: number }
}

/** Views: the steps that change them, and the lookups of readers. */
export interface Views {
  /** Views by key, expired ones included: what {@link commit} is made from. */
  read(set: ViewSet, keys: readonly string[]): Promise<ReadonlyMap<string, StoredView>>

  /**
   * Changes views and the checkpoint in one step. The key of each change becomes unpublished, also if the view stays
   * the same or a deletion finds none.
   */
  commit(set: ViewSet, commit: ViewCommit): Promise<CommitOutcome>

  /** One view. Expired ones are not found. */
  find(
    projection: StoredProjection,
    key: string,
    lookup?: ViewLookup,
  ): Promise<Lookup<StoredView | undefined>>

  /** Views in order, page by page. */
  page(projection: StoredProjection, query: ViewPageQuery): Promise<Lookup<StoredViewPage>>

  /** Deletes up to `limit` views that have expired at `nowMs`; each deletion is an unpublished change at `nowMs`. @returns how many. */
  expire(set: ViewSet, nowMs: number, limit: number): Promise<number>
}
