/** A server that could not be reached gets no requests for this long, where there are others. */
const avoidedMs = 1_000

/** The servers that any request may go to, in turn. */
export class ReachableUrls {
  readonly #avoidedUntilMs = new Map<string, number>()
  #urls: readonly string[]
  #turn = 0

  constructor(urls: readonly string[]) {
    this.#urls = urls
  }

  /** There are others now. */
  replace(urls: readonly string[]): void {
    this.#urls = urls
  }

  /** The next in turn, without those that were not reached just now, unless there are no others. */
  next(): string {
    const reachable = this.#urls.filter((url) => !this.isAvoided(url))
    const candidates = reachable.length > 0 ? reachable : this.#urls
    this.#turn = (this.#turn + 1) % candidates.length
    return candidates[this.#turn] ?? ''
  }

  /** It could not be reached. */
  avoid(url: string): void {
    this.#avoidedUntilMs.set(url, performance.now() + avoidedMs)
  }

  isAvoided(url: string): boolean {
    const untilMs = this.#avoidedUntilMs.get(url)
    if (untilMs === undefined) return false
    if (untilMs > performance.now()) return true
    this.#avoidedUntilMs.delete(url)
    return false
  }
}
