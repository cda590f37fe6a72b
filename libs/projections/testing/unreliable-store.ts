import { ViewStoreUnavailableError } from '../view-store/errors.ts'
import type { ViewStore } from '../view-store/view-store.ts'
import { aroundStore, type StoreMethod } from './around-store.ts'

/**
 * What happens to a call. `lost`: it runs, its answer is lost. `away`: it does not run. `slow`: other calls run in
 * between, before and after it. `frozen`: it runs when {@link UnreliableStore.thaw} is called, however late.
 */
export type StoreFault = 'none' | 'lost' | 'away' | 'slow' | 'frozen'

/** A store as one instance sees it over an unreliable connection. */
export class UnreliableStore {
  readonly store: ViewStore
  /** How many calls have been frozen. */
  frozen = 0
  readonly #nextFault: (method: StoreMethod) => StoreFault
  #thaw = Promise.withResolvers<undefined>()
  #isDead = false

  constructor(store: ViewStore, nextFault: (method: StoreMethod) => StoreFault) {
    this.#nextFault = nextFault
    this.store = aroundStore(store, (method, proceed) => this.#call(method, proceed))
  }

  /** From now on no call of this instance runs. */
  die(): void {
    this.#isDead = true
    this.thaw()
  }

  /** Frozen calls continue. */
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
    if (this.#isDead || fault === 'away') throw new ViewStoreUnavailableError('the store is unavailable')
    const answer = await proceed()
    if (fault === 'slow') await new Promise(setImmediate)
    if (fault === 'lost') throw new ViewStoreUnavailableError('the answer was lost')
    return answer
  }
}
