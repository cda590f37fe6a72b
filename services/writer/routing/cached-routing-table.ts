import type { RoutingTable } from '#kafka'

/** How old the table may be when it is used without a special reason to ask again. */
const freshMs = 5_000
/** However many callers find it wrong at once, the group is asked no more often than this. */
const askMsMin = 100

/** Who owns which partition, as the group last said. Wrong for a moment after every move; nothing depends on it but detours. */
export class CachedRoutingTable {
  readonly #ask: () => Promise<RoutingTable>
  #table: RoutingTable = new Map()
  #askedAtMs = -Infinity
  #doubted = false
  #asking: Promise<RoutingTable> | undefined

  constructor(ask: () => Promise<RoutingTable>) {
    this.#ask = ask
  }

  /** What was known last; empty at the very beginning. */
  get latest(): RoutingTable {
    return this.#table
  }

  /** An owner did not answer as one: the next request reads the table again. */
  doubt(): void {
    this.#doubted = true
  }

  /** @param wrong the table at hand has just been found wrong: ask again, even if it is young. */
  async get(wrong = false): Promise<RoutingTable> {
    const ageMs = performance.now() - this.#askedAtMs
    if (ageMs < (wrong || this.#doubted ? askMsMin : freshMs)) return this.#table
    this.#doubted = false
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    this.#table = await this.#asking
    this.#askedAtMs = performance.now()
    return this.#table
  }
}
