/** Take-overs that may follow each other immediately: brokers restart, partitions move, tests kill processes. */
const burst = 10
/** The interval of further take-overs. A lasting fault must not use up the 32,750 epochs of a producer id. */
const refillMs = 20_000

/** Paces the take-overs of one partition by one process: a token bucket. */
export class TakeOverPace {
  readonly #now: () => number
  #tokens = burst
  #atMs: number

  /** @param now milliseconds, on a monotonic clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#atMs = now()
  }

  /** Milliseconds to wait before the next take-over; 0: none. */
  get waitMs(): number {
    this.#refill()
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) * refillMs)
  }

  /** Counts a take-over that starts now. */
  spend(): void {
    this.#refill()
    this.#tokens = Math.max(0, this.#tokens - 1)
  }

  #refill(): void {
    const nowMs = this.#now()
    this.#tokens = Math.min(burst, this.#tokens + (nowMs - this.#atMs) / refillMs)
    this.#atMs = nowMs
  }
}
