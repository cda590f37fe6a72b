/** The target of hostile callers. */
interface Target {
  readonly url: string
  /** Aggregate type. */
  readonly type: string
  readonly projection: string
  /** A stream with many events. */
  readonly longStream: string
}

/** A target, and the share of the full load that the callers apply. 1 is all of it. */
export interface Attack extends Target {
  readonly share: number
}

/** How often each result occurred: by status, or by how a connection ended. */
export type Answers = Readonly<Record<string, number>>

/** Counts the results of a caller. */
export class Tally {
  readonly #counts = new Map<string, number>()

  count(what: string | number): void {
    const key = String(what)
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  get answers(): Answers {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** One kind of hostile caller. It runs until the signal aborts, and never throws. */
export interface HostileCaller {
  readonly does: string
  run(attack: Attack, tally: Tally, signal: AbortSignal): Promise<void>
}
