export interface BackoffLimits {
  /** Upper bound of the first delay; it doubles with each further failure. */
  readonly delayMsMin: number
  /** Upper bound of all delays. */
  readonly delayMsMax: number
}

/** Spreads delays, so that callers that failed together do not retry together. */
export type Jitter = (ceilingMs: number) => number

/** From 0 to the ceiling. Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. */
export const fullJitter: Jitter = (ceilingMs) => Math.random() * ceilingMs

/** From half of the ceiling to all of it: for a loop that must not retry immediately. */
export const halfJitter: Jitter = (ceilingMs) => ceilingMs * (0.5 + Math.random() / 2)

export const noJitter: Jitter = (ceilingMs) => ceilingMs

/** Exponential back-off: the delay before each retry, from the number of failures in a row. */
export class Backoff {
  readonly #limits: BackoffLimits
  readonly #jitter: Jitter
  #failures = 0

  constructor(limits: BackoffLimits, jitter: Jitter = halfJitter) {
    this.#limits = limits
    this.#jitter = jitter
  }

  /** Counts a failure. @returns milliseconds to wait before the retry. */
  nextMs(): number {
    const { delayMsMin, delayMsMax } = this.#limits
    return this.#jitter(Math.min(delayMsMax, delayMsMin * 2 ** this.#failures++))
  }

  /** The work succeeded: earlier failures no longer count. */
  reset(): void {
    this.#failures = 0
  }
}
