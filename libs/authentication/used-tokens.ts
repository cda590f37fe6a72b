const periodMs = 5_000

/**
 * Remembers the ids of tokens until they expire, so that none counts twice. The number is bounded: when it is reached, further ones
 * are refused; none is forgotten before its time.
 */
export class UsedTokens {
  readonly #countMax: number
  readonly #now: () => number
  /** By the end of the period in which they expire. A period is forgotten as a whole. */
  readonly #periods = new Map<number, Set<string>>()
  #count = 0

  constructor(countMax: number, now: () => number) {
    this.#countMax = countMax
    this.#now = now
  }

  get count(): number {
    return this.#count
  }

  /** Takes note of an id. `used`: it is known already. `full`: no more can be remembered now. */
  use(id: string, expiresAtMs: number): 'new' | 'used' | 'full' {
    this.#forgetExpired()
    const end = Math.ceil(expiresAtMs / periodMs) * periodMs
    const period = this.#periods.get(end) ?? new Set()
    if (period.has(id)) return 'used'
    if (this.#count >= this.#countMax) return 'full'
    this.#periods.set(end, period.add(id))
    this.#count++
    return 'new'
  }

  #forgetExpired(): void {
    const nowMs = this.#now()
    for (const [end, period] of this.#periods) {
      if (end > nowMs) continue
      this.#periods.delete(end)
      this.#count -= period.size
    }
  }
}
