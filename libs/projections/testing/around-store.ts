import type { ViewStore } from '../view-store/view-store.ts'

type Port = Exclude<keyof ViewStore, 'prepare' | 'close'>

/** A method of a store, with its port: `views.commit`. */
export type StoreMethod =
  'prepare' | 'close' | { [Name in Port]: `${Name}.${keyof ViewStore[Name] & string}` }[Port]

/** Wraps a call of a store: `proceed` makes the call. */
type Around = (
  method: StoreMethod,
  proceed: () => Promise<unknown>,
  args: readonly unknown[],
) => Promise<unknown>

type Call = (...args: unknown[]) => Promise<unknown>

/** A store whose calls all go through a function that may inject faults, count or pause them. */
export function aroundStore(store: ViewStore, around: Around): ViewStore {
  const port = <Name extends Port>(name: Name): ViewStore[Name] =>
    aroundMethods(store[name], (method, ...rest) => around(`${name}.${method}` as StoreMethod, ...rest))
  return {
    generations: port('generations'),
    views: port('views'),
    outbox: port('outbox'),
    parked: port('parked'),
    prepare: (projection) =>
      around('prepare', () => store.prepare(projection), [projection]) as Promise<undefined>,
    close: () => around('close', () => store.close(), []) as Promise<undefined>,
  }
}

function aroundMethods<Methods extends object>(
  methods: Methods,
  around: (method: string, proceed: () => Promise<unknown>, args: readonly unknown[]) => Promise<unknown>,
): Methods {
  return new Proxy(methods, {
    get(target, name) {
      const call = Reflect.get(target, name) as Call | undefined
      return call && ((...args: unknown[]) => around(String(name), () => call.apply(target, args), args))
    },
  })
}

/** Calls a method by its name, as {@link Around} gets it. */
export function callMethod(
  store: ViewStore,
  method: StoreMethod,
  args: readonly unknown[],
): Promise<unknown> {
  const [port, name] = method.split('.') as [Port, string | undefined]
  const target: object = name === undefined ? store : store[port]
  return (Reflect.get(target, name ?? port) as Call).apply(target, [...args])
}
