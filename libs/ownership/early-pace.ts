interface Loss {
  readonly untilMs: number
  readonly pauseMs: number
}

/** How long a lost partition is left to the group, the first time; each further loss doubles it. */
const pauseMsMin = 60_000
const pauseMsMax = 3_600_000

/**
 * Paces take-overs ahead of the group. A partition that was lost again has a living owner which this process cannot see.
 * So two processes that see each other through Kafka only take a partition from each other at most once per pause.
 */
export class EarlyPace {
  readonly #now: () => number
  readonly #losses = new Map<string, Loss>()

  /** @param now milliseconds, on a monotonic clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** @param key `topic/partition` */
  mayTake(key: string): boolean {
    return this.#now() >= (this.#losses.get(key)?.untilMs ?? 0)
  }

  /** Counts an early take-over that another owner has ended. */
  lost(key: string): void {
    const last = this.#losses.get(key)
    const isLongAgo = last !== undefined && this.#now() >= last.untilMs + pauseMsMax
    const pauseMs = last === undefined || isLongAgo ? pauseMsMin : Math.min(pauseMsMax, 2 * last.pauseMs)
    this.#losses.set(key, { untilMs: this.#now() + pauseMs, pauseMs })
  }
}
