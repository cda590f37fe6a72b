export interface TakeOverBackoffOptions {
  /** Pause after the first take-over; default 100. */
  readonly delayMsMin?: number
  /** The longest pause, and how long a term must last and work for the pauses to be short again; default 60,000. */
  readonly delayMsMax?: number
  /** Milliseconds on a clock that never goes back; default `performance.now`. */
  readonly now?: () => number
  /** 0 to below 1; default `Math.random`. */
  readonly random?: () => number
}

/**
 * Pauses between the take-overs of one partition. Each costs the log a marker and the partition one of its 32,750 epochs,
 * so a fault that stays must not cause one a second: the pause doubles with every take-over, up to a minute, and only a
 * term that works shortens it again.
 */
export class TakeOverBackoff {
  readonly #delayMsMin: number
  readonly #delayMsMax: number
  readonly #now: () => number
  readonly #random: () => number
  #delayMs: number
  #beganAtMs = -Infinity
  #nextAtMs = -Infinity

  constructor(options: TakeOverBackoffOptions = {}) {
    this.#delayMsMin = options.delayMsMin ?? 100
    this.#delayMsMax = options.delayMsMax ?? 60_000
    this.#now = options.now ?? (() => performance.now())
    this.#random = options.random ?? Math.random
    this.#delayMs = this.#delayMsMin
  }

  /** Milliseconds until the next take-over may begin; 0: now. */
  get waitMs(): number {
    return Math.max(0, this.#nextAtMs - this.#now())
  }

  /** A take-over begins. Call it also for one that then fails: the epoch is gone all the same. */
  began(): void {
    this.#beganAtMs = this.#now()
    this.#nextAtMs = this.#beganAtMs + this.#delayMs * (0.5 + this.#random() / 2)
    this.#delayMs = Math.min(this.#delayMs * 2, this.#delayMsMax)
  }

  /**
   * The term has done some of its work. That counts once the term has lasted for a minute: two owners that keep taking
   * the partition from each other both do some work in between.
   */
  worked(): void {
    if (this.#now() - this.#beganAtMs >= this.#delayMsMax) this.reset()
  }

  /** The next take-over may begin at once. */
  reset(): void {
    this.#delayMs = this.#delayMsMin
    this.#nextAtMs = -Infinity
  }
}
