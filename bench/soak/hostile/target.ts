/** What hostile callers are let loose on. */
export interface Target {
  readonly url: string
  /** Aggregate type. */
  readonly type: string
  readonly projection: string
  /** A stream of many events. */
  readonly longStream: string
}

/** What callers do at a time, as a share of what the issue asks for. 1 is all of it. */
export interface Attack extends Target {
  readonly share: number
}

/** How often each answer came: by status, or by how a connection ended. */
export type Answers = Readonly<Record<string, number>>

/** What a caller notes. */
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

/** One kind of hostile caller. It goes on until the signal aborts, and never throws. */
export interface HostileCaller {
  readonly does: string
  run(attack: Attack, tally: Tally, signal: AbortSignal): Promise<void>
}
