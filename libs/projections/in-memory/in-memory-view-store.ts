import type { StoredProjection } from '../view-store/view-set.ts'
import type { ViewStore } from '../view-store/view-store.ts'
import { MemoryGenerations } from './memory-generations.ts'
import { MemoryOutbox } from './memory-outbox.ts'
import { MemoryParkedEvents } from './memory-parked-events.ts'
import { MemoryProjections, promised } from './memory-projections.ts'
import { MemoryViews } from './memory-views.ts'

interface InMemoryViewStoreOptions {
  /** Milliseconds since 1970; the machine's clock by default. */
  readonly now?: () => number
}

/** A view store for tests and trials: it behaves as the real ones do and keeps everything in this process's memory. */
export class InMemoryViewStore implements ViewStore {
  readonly generations: MemoryGenerations
  readonly views: MemoryViews
  readonly outbox: MemoryOutbox
  readonly parked: MemoryParkedEvents
  readonly #projections = new MemoryProjections()

  constructor({ now = () => Date.now() }: InMemoryViewStoreOptions = {}) {
    this.generations = new MemoryGenerations(this.#projections, now)
    this.views = new MemoryViews(this.#projections, now)
    this.outbox = new MemoryOutbox(this.#projections)
    this.parked = new MemoryParkedEvents(this.#projections)
  }

  prepare(projection: StoredProjection): Promise<void> {
    return promised(() => this.#projections.prepare(projection))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
