import type { RoutingTable } from '#kafka'

/** Maximum age of a table that is reused. */
const freshMs = 5_000
/** Minimum interval of requests to the group, also if many callers find the table wrong. */
const askMsMin = 100

/** The latest known owner of each partition. It may be outdated after a rebalance, which costs only an extra hop. */
export class CachedRoutingTable {
  readonly #ask: () => Promise<RoutingTable>
  readonly #withSuccessors: (table: RoutingTable) => RoutingTable
  #table: RoutingTable = new Map()
  #askedAtMs = -Infinity
  #doubted = false
  #asking: Promise<RoutingTable> | undefined

  /**
   * @param ask requests the group's table
   * @param withSuccessors replaces owners that have died since. Called at each read, so it must be cheap
   */
  constructor(
    ask: () => Promise<RoutingTable>,
    withSuccessors: (table: RoutingTable) => RoutingTable = (table) => table,
  ) {
    this.#ask = ask
    this.#withSuccessors = withSuccessors
  }

  /** The latest known table; empty before the first read. */
  get latest(): RoutingTable {
    return this.#withSuccessors(this.#table)
  }

  /** Marks the table as wrong, after an instance did not answer as owner. The next read requests it again. */
  doubt(): void {
    this.#doubted = true
  }

  /** @param wrong whether the current table was just found wrong, so that even a fresh one is requested again. */
  async get(wrong = false): Promise<RoutingTable> {
    const ageMs = performance.now() - this.#askedAtMs
    if (ageMs < (wrong || this.#doubted ? askMsMin : freshMs)) return this.latest
    this.#doubted = false
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    this.#table = await this.#asking
    this.#askedAtMs = performance.now()
    return this.latest
  }
}
