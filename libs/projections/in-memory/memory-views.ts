import type { StoredProjection, ViewSet } from '../view-store/view-set.ts'
import {
  type CommitOutcome,
  hasExpired,
  type Lookup,
  type StoredView,
  type StoredViewPage,
  type ViewCommit,
  type ViewLookup,
  type ViewPageQuery,
  type Views,
} from '../view-store/views.ts'
import type { MemoryGeneration } from './memory-generation.ts'
import { pageOf } from './memory-order.ts'
import { type MemoryProjections, promised } from './memory-projections.ts'
import { storedView } from './memory-view.ts'

/** {@link Views} in memory. A page takes time proportional to the number of views. */
export class MemoryViews implements Views {
  readonly #projections: MemoryProjections
  readonly #now: () => number

  constructor(projections: MemoryProjections, now: () => number) {
    this.#projections = projections
    this.#now = now
  }

  read(set: ViewSet, keys: readonly string[]): Promise<ReadonlyMap<string, StoredView>> {
    return promised(() => {
      const views = this.#projections.find(set)?.views
      const found = keys.flatMap((key): [string, StoredView][] => {
        const view = views?.get(key)
        return view === undefined ? [] : [[key, storedView(view)]]
      })
      return new Map(found)
    })
  }

  commit(set: ViewSet, commit: ViewCommit): Promise<CommitOutcome> {
    return promised(() => this.#projections.active(set)?.commit(commit, this.#now()) ?? 'gone')
  }

  find(
    projection: StoredProjection,
    key: string,
    lookup: ViewLookup = {},
  ): Promise<Lookup<StoredView | undefined>> {
    return promised(() =>
      this.#lookUp(projection, lookup, ({ views }) => {
        const view = views.get(key)
        return view === undefined || hasExpired(view, this.#now()) ? undefined : storedView(view)
      }),
    )
  }

  page(projection: StoredProjection, query: ViewPageQuery): Promise<Lookup<StoredViewPage>> {
    return promised(() => this.#lookUp(projection, query, ({ views }) => pageOf(views, query, this.#now())))
  }

  expire(set: ViewSet, nowMs: number, limit: number): Promise<number> {
    return promised(() => this.#projections.find(set)?.expire(nowMs, limit) ?? 0)
  }

  #lookUp<Found>(
    projection: StoredProjection,
    { generation: id, after }: ViewLookup,
    find: (generation: MemoryGeneration) => Found,
  ): Lookup<Found> {
    const generation =
      id === undefined
        ? this.#projections.serving(projection)
        : this.#projections.active({ projection, generation: id })
    if (generation === undefined) return { outcome: 'no-generation' }
    if (after !== undefined && !generation.hasApplied(after)) return { outcome: 'behind' }
    return { outcome: 'found', generation: generation.id, found: find(generation) }
  }
}
