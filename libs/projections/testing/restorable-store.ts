import { InMemoryViewStore } from '../in-memory/in-memory-view-store.ts'
import type { ViewStore } from '../view-store/view-store.ts'
import { aroundStore, callMethod, type StoreMethod } from './around-store.ts'

interface RecordedCall {
  readonly atMs: number
  readonly method: StoreMethod
  readonly apply: (store: ViewStore) => Promise<unknown>
}

const readOnly: readonly StoreMethod[] = [
  'generations.list',
  'views.read',
  'views.find',
  'views.page',
  'outbox.unpublished',
  'parked.list',
]

/** A store in memory that a test can empty, or restore to an earlier copy, behind the backs of its users. */
export class RestorableStore {
  readonly store: ViewStore
  #changes: RecordedCall[] = []
  #replayedMs: number | undefined
  #held: ViewStore = this.#fresh()

  constructor() {
    this.store = aroundStore(new InMemoryViewStore(), (method, _proceed, args) => {
      const apply = (store: ViewStore) => callMethod(store, method, args)
      if (!readOnly.includes(method)) this.#changes.push({ atMs: Date.now(), method, apply })
      return apply(this.#held)
    })
  }

  /** Copies the current state for {@link restore}. */
  copy(): readonly unknown[] {
    return [...this.#changes]
  }

  async restore(copy: readonly unknown[]): Promise<void> {
    await this.#replay(copy as readonly RecordedCall[])
  }

  /** Deletes everything except the prepared projections. */
  async empty(): Promise<void> {
    await this.#replay(this.#changes.filter(({ method }) => method === 'prepare'))
  }

  async #replay(changes: readonly RecordedCall[]): Promise<void> {
    this.#changes = [...changes]
    this.#held = this.#fresh()
    const done = changes.map(({ atMs, apply }) => {
      this.#replayedMs = atMs
      return apply(this.#held)
    })
    this.#replayedMs = undefined
    await Promise.all(done)
  }

  #fresh(): ViewStore {
    return new InMemoryViewStore({ now: () => this.#replayedMs ?? Date.now() })
  }
}
