/** Take-overs that may follow each other at once: brokers restart, partitions move, tests kill. */
const burst = 10
/** Then one in so long: a fault that lasts must not use up epochs, of which a producer id has 32,750. */
const refillMs = 20_000

/** Paces the take-overs of one partition by one process: a token bucket. */
export class TakeOverPace {
  readonly #now: () => number
  #tokens = burst
  #atMs: number

  /** @param now milliseconds, on a clock that does not go back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#atMs = now()
  }

  /** How long to wait before the next take-over may begin; 0: now. */
  get waitMs(): number {
    this.#refill()
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) * refillMs)
  }

  /** A take-over begins. */
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
