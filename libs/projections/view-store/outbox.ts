import type { ViewSet } from './view-set.ts'

/** The latest state of a view whose last change is not in the changelog yet. */
export interface UnpublishedView {
  readonly key: string
  /** Of the step that changed or deleted it. */
  readonly revision: number
  /** Null for a deleted view. */
  readonly json: string | null
  readonly changedAtMs: number
}

/** Changes of views that are still to be published to the changelog. Every change enters it in the step that makes the change. */
export interface ViewOutbox {
  /** Up to `limit` views whose last change is not in the changelog yet, each in its present state; in no order. */
  unpublished(set: ViewSet, limit: number): Promise<readonly UnpublishedView[]>

  /** Removes views that are in the changelog now. A view that has changed since, by its revision, stays unpublished. */
  markPublished(set: ViewSet, published: readonly Pick<UnpublishedView, 'key' | 'revision'>[]): Promise<void>
}
