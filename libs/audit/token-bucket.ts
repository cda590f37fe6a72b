/** Lets a burst pass, and after that one at a time. */
export class TokenBucket {
  readonly #capacity: number
  readonly #refillMs: number
  #tokens: number
  #atMs: number

  /** @param refillMs after this time there is one more token. */
  constructor(capacity: number, refillMs: number, nowMs: number) {
    this.#capacity = capacity
    this.#refillMs = refillMs
    this.#tokens = capacity
    this.#atMs = nowMs
  }

  /** Takes a token, if there is one. */
  take(nowMs: number): boolean {
    this.#refill(nowMs)
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  isFull(nowMs: number): boolean {
    this.#refill(nowMs)
    return this.#tokens >= this.#capacity
  }

  #refill(nowMs: number): void {
    // A clock that was set back adds nothing.
    const gained = Math.max(0, nowMs - this.#atMs) / this.#refillMs
    this.#tokens = Math.min(this.#capacity, this.#tokens + gained)
    this.#atMs = nowMs
  }
}
