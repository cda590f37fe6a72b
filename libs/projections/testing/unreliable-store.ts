import { ViewStoreUnavailableError } from '../view-store/errors.ts'
import type { ViewStore } from '../view-store/view-store.ts'
import { aroundStore, type StoreMethod } from './around-store.ts'

/**
 * What becomes of a call. `lost`: it is done, its answer is not heard. `away`: it is not done. `slow`: others come in
 * between, before and behind it. `frozen`: it is done when {@link UnreliableStore.thaw} is called, however late.
 */
export type StoreFault = 'none' | 'lost' | 'away' | 'slow' | 'frozen'

/** A store as one instance sees it from behind a bad line. */
export class UnreliableStore {
  readonly store: ViewStore
  /** Calls that were frozen so far. */
  frozen = 0
  readonly #nextFault: (method: StoreMethod) => StoreFault
  #thaw = Promise.withResolvers<undefined>()
  #isDead = false

  constructor(store: ViewStore, nextFault: (method: StoreMethod) => StoreFault) {
    this.#nextFault = nextFault
    this.store = aroundStore(store, (method, proceed) => this.#call(method, proceed))
  }

  /** From now on nothing that this instance asks for happens. */
  die(): void {
    this.#isDead = true
    this.thaw()
  }

  /** What stood still goes on. */
  thaw(): void {
    this.#thaw.resolve(undefined)
    this.#thaw = Promise.withResolvers()
  }

  async #call(method: StoreMethod, proceed: () => Promise<unknown>): Promise<unknown> {
    if (method === 'prepare') return proceed()
    const fault = this.#nextFault(method)
    if (fault === 'slow') await new Promise(setImmediate)
    if (fault === 'frozen' && !this.#isDead) {
      this.frozen++
      await this.#thaw.promise
    }
    if (this.#isDead || fault === 'away') throw new ViewStoreUnavailableError('the store is away')
    const answer = await proceed()
    if (fault === 'slow') await new Promise(setImmediate)
    if (fault === 'lost') throw new ViewStoreUnavailableError('the answer was lost')
    return answer
  }
}
