import type { UnpublishedView, ViewOutbox } from '../view-store/outbox.ts'
import type { ViewSet } from '../view-store/view-set.ts'
import { type MemoryProjections, promised } from './memory-projections.ts'

/** {@link ViewOutbox} in memory. */
export class MemoryOutbox implements ViewOutbox {
  readonly #projections: MemoryProjections

  constructor(projections: MemoryProjections) {
    this.#projections = projections
  }

  unpublished(set: ViewSet, limit: number): Promise<readonly UnpublishedView[]> {
    return promised(() => [...(this.#projections.find(set)?.unpublished.values() ?? [])].slice(0, limit))
  }

  markPublished(
    set: ViewSet,
    published: readonly Pick<UnpublishedView, 'key' | 'revision'>[],
  ): Promise<void> {
    return promised(() => {
      const unpublished = this.#projections.find(set)?.unpublished
      for (const { key, revision } of published) {
        if (unpublished?.get(key)?.revision === revision) unpublished.delete(key)
      }
    })
  }
}
