import type { ViewStore } from '../view-store.ts'

/** What a call of a store goes through: `proceed` makes it. */
export type Around = (
  method: keyof ViewStore,
  proceed: () => Promise<unknown>,
  args: readonly unknown[],
) => Promise<unknown>

type Call = (...args: unknown[]) => Promise<unknown>

/** A store each of whose calls goes through a function: for faults, for counting, for standing still. */
export function aroundStore(store: ViewStore, around: Around): ViewStore {
  return new Proxy(store, {
    get(target, name) {
      const method = name as keyof ViewStore
      const call = Reflect.get(target, method) as Call | undefined
      return call && ((...args: unknown[]) => around(method, () => call.apply(target, args), args))
    },
  })
}
