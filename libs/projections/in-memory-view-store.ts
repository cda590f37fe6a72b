import { formatPartition, formatPosition, type Position, type TopicPartition } from '#domain'

import type { NewGeneration } from './generation.ts'
import { MemoryGeneration } from './in-memory/memory-generation.ts'
import { byUtf8, pageOf } from './in-memory/memory-order.ts'
import { hasExpired, storedView } from './in-memory/memory-view.ts'
import type {
  AddOptions,
  CommitOutcome,
  GenerationState,
  Lookup,
  ParkedEvent,
  Stop,
  StoredProjection,
  StoredView,
  StoredViewPage,
  UnpublishedView,
  ViewChange,
  ViewCommit,
  ViewLookup,
  ViewPageQuery,
  ViewSet,
  ViewStore,
} from './view-store.ts'

export interface InMemoryViewStoreOptions {
  /** Milliseconds since 1970; the machine's clock by default. */
  readonly now?: () => number
}

/** Runs now; what it throws becomes a rejection. */
const promised = <T>(run: () => T): Promise<T> => new Promise((resolve) => resolve(run()))

/**
 * A store of views for tests and trials: it answers as the real ones do and forgets everything at the end of the process.
 * A page takes as long as there are views.
 */
export class InMemoryViewStore implements ViewStore {
  /** Generations by id, by projection. */
  readonly #projections = new Map<string, Map<string, MemoryGeneration>>()
  readonly #now: () => number

  constructor({ now = () => Date.now() }: InMemoryViewStoreOptions = {}) {
    this.#now = now
  }

  prepare({ name }: StoredProjection): Promise<void> {
    return promised(() => {
      if (!this.#projections.has(name)) this.#projections.set(name, new Map())
    })
  }

  generations(projection: StoredProjection): Promise<readonly GenerationState[]> {
    return promised(() => this.#all(projection).map((generation) => generation.state()))
  }

  addGeneration(
    projection: StoredProjection,
    generation: NewGeneration,
    { ifNeeded = false, insteadOf }: AddOptions = {},
  ): Promise<boolean> {
    return promised(() => {
      const byId = this.#byId(projection)
      if (byId.has(generation.id)) return false
      if (insteadOf !== undefined) {
        const replaced = byId.get(insteadOf)
        if (replaced === undefined || replaced.status === 'retired') return false
        replaced.status = 'retired'
      }
      const current = [...byId.values()].filter(({ status }) => status === 'serving' || status === 'building')
      if (ifNeeded && current.some(({ viewVersion }) => viewVersion >= generation.viewVersion)) return false
      const status = statusOf(generation, current)
      if (status === 'building') retireBuilding(current)
      byId.set(generation.id, new MemoryGeneration(structuredClone(generation), status))
      return true
    })
  }

  switchTo(set: ViewSet, holdMs: number): Promise<'switched' | 'behind' | 'gone'> {
    return promised(() => {
      const next = this.#find(set)
      if (next?.status === 'serving') return 'switched'
      if (next?.status !== 'building') return 'gone'
      const serving = this.#serving(set.projection)
      if (serving !== undefined && !next.isLevelWith(serving)) {
        serving.heldUntilMs = this.#now() + holdMs
        return 'behind'
      }
      if (serving !== undefined) serving.status = 'retired'
      next.status = 'serving'
      return 'switched'
    })
  }

  retire(set: ViewSet): Promise<boolean> {
    return promised(() => {
      const generation = this.#find(set)
      if (generation === undefined || generation.status === 'serving') return false
      generation.status = 'retired'
      return true
    })
  }

  discard(set: ViewSet, limit: number): Promise<boolean> {
    return promised(() => {
      const generation = this.#find(set)
      if (generation === undefined) return true
      if (generation.status !== 'retired') return false
      this.#serving(set.projection)?.noteAbsent(generation.takeKeys(limit), this.#now())
      if (generation.views.size > 0 || generation.unpublished.size > 0) return false
      this.#byId(set.projection).delete(set.generation)
      return true
    })
  }

  read(set: ViewSet, keys: readonly string[]): Promise<ReadonlyMap<string, StoredView>> {
    return promised(() => {
      const views = this.#find(set)?.views
      const found = keys.flatMap((key): [string, StoredView][] => {
        const view = views?.get(key)
        return view === undefined ? [] : [[key, storedView(view)]]
      })
      return new Map(found)
    })
  }

  commit(set: ViewSet, commit: ViewCommit): Promise<CommitOutcome> {
    return promised(() => this.#active(set)?.commit(commit, this.#now()) ?? 'gone')
  }

  view(
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

  unpublished(set: ViewSet, limit: number): Promise<readonly UnpublishedView[]> {
    return promised(() => [...(this.#find(set)?.unpublished.values() ?? [])].slice(0, limit))
  }

  markPublished(
    set: ViewSet,
    published: readonly Pick<UnpublishedView, 'key' | 'revision'>[],
  ): Promise<void> {
    return promised(() => {
      const unpublished = this.#find(set)?.unpublished
      for (const { key, revision } of published) {
        if (unpublished?.get(key)?.revision === revision) unpublished.delete(key)
      }
    })
  }

  expire(set: ViewSet, nowMs: number, limit: number): Promise<number> {
    return promised(() => this.#find(set)?.expire(nowMs, limit) ?? 0)
  }

  stop(set: ViewSet, source: TopicPartition, stop: Stop): Promise<void> {
    return promised(() => {
      this.#find(set)?.stops.set(formatPartition(source), stop)
    })
  }

  resume(projection: StoredProjection, source?: TopicPartition): Promise<number> {
    return promised(() => {
      let resumed = 0
      for (const { stops } of this.#byId(projection).values()) {
        for (const key of source === undefined ? [...stops.keys()] : [formatPartition(source)]) {
          if (stops.delete(key)) resumed += 1
        }
      }
      return resumed
    })
  }

  parked(
    set: ViewSet,
    { offset, limit }: { readonly offset: number; readonly limit: number },
  ): Promise<readonly ParkedEvent[]> {
    return promised(() =>
      [...(this.#find(set)?.parked.values() ?? [])].sort(byTimeAndPosition).slice(offset, offset + limit),
    )
  }

  applyParked(
    set: ViewSet,
    position: Position,
    changes: readonly ViewChange[],
  ): Promise<'applied' | 'not-parked' | 'view-changed' | 'gone'> {
    return promised(() => this.#active(set)?.applyParked(position, changes) ?? 'gone')
  }

  dropParked(set: ViewSet, positions: readonly Position[]): Promise<number> {
    return promised(() => {
      const parked = this.#find(set)?.parked
      return positions.filter((position) => parked?.delete(formatPosition(position))).length
    })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #byId({ name }: StoredProjection): Map<string, MemoryGeneration> {
    const byId = this.#projections.get(name)
    if (byId === undefined)
      throw new Error(`projection ${name} is not prepared: call prepare() before all else`)
    return byId
  }

  /** In the order of their ids. */
  #all(projection: StoredProjection): MemoryGeneration[] {
    return [...this.#byId(projection)].sort(([a], [b]) => byUtf8(a, b)).map(([, generation]) => generation)
  }

  #serving(projection: StoredProjection): MemoryGeneration | undefined {
    return this.#all(projection).find(({ status }) => status === 'serving')
  }

  #find({ projection, generation }: ViewSet): MemoryGeneration | undefined {
    return this.#byId(projection).get(generation)
  }

  /** The generation, unless it is retired. */
  #active(set: ViewSet): MemoryGeneration | undefined {
    const generation = this.#find(set)
    return generation?.status === 'retired' ? undefined : generation
  }

  #lookUp<Found>(
    projection: StoredProjection,
    { generation: id, after }: ViewLookup,
    find: (generation: MemoryGeneration) => Found,
  ): Lookup<Found> {
    const generation =
      id === undefined ? this.#serving(projection) : this.#active({ projection, generation: id })
    if (generation === undefined) return { outcome: 'no-generation' }
    if (after !== undefined && !generation.hasApplied(after)) return { outcome: 'behind' }
    return { outcome: 'found', generation: generation.id, found: find(generation) }
  }
}

const statusOf = ({ until }: NewGeneration, current: readonly MemoryGeneration[]) => {
  if (until !== undefined) return 'kept'
  return current.some(({ status }) => status === 'serving') ? 'building' : 'serving'
}

function retireBuilding(current: readonly MemoryGeneration[]): void {
  for (const generation of current) {
    if (generation.status === 'building') generation.status = 'retired'
  }
}

const byTimeAndPosition = (a: ParkedEvent, b: ParkedEvent): number =>
  a.parkedAtMs - b.parkedAtMs ||
  byUtf8(a.position.topic, b.position.topic) ||
  a.position.partition - b.position.partition ||
  a.position.offset - b.position.offset
