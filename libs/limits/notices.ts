const periodMs = 60_000

/** Decides which notices are worth a line in the log: one for each name a minute, and a bounded number in total. */
export class Notices {
  readonly #namesMax: number
  readonly #names = new Set<string>()
  #fromMs = -Infinity

  constructor(namesMax = 20) {
    this.#namesMax = namesMax
  }

  isDue(name: string): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#fromMs >= periodMs) {
      this.#fromMs = nowMs
      this.#names.clear()
    }
    if (this.#names.size >= this.#namesMax || this.#names.has(name)) return false
    this.#names.add(name)
    return true
  }
}
