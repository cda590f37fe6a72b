/** An unreachable server gets no requests for this long while there are others. */
const avoidedMs = 1_000

/** Servers that accept any request, used in turn. */
export class ReachableUrls {
  readonly #avoidedUntilMs = new Map<string, number>()
  #urls: readonly string[]
  #turn = 0

  constructor(urls: readonly string[]) {
    this.#urls = urls
  }

  /** Replaces the list of servers. */
  replace(urls: readonly string[]): void {
    this.#urls = urls
  }

  /** The next server in turn. Servers that were unreachable in the last second are skipped while there are others. */
  next(): string {
    const reachable = this.#urls.filter((url) => !this.isAvoided(url))
    const candidates = reachable.length > 0 ? reachable : this.#urls
    this.#turn = (this.#turn + 1) % candidates.length
    return candidates[this.#turn] ?? ''
  }

  /** Marks a server as unreachable. */
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
