/** The marker is repeated after this many offsets, so that readers find the term without reading far back. */
const offsetsMax = 500_000

/**
 * Decides when an owner must repeat its marker. Three measures count: the monotonic clock, which stops while a machine
 * is suspended; the wall clock, which does not, so a resumed machine contacts the coordinator before it appends; and
 * the growth of the log.
 */
export class Renewal {
  readonly #everyMs: number
  #atMs = 0
  #atWallMs = 0
  #markedOffset = 0

  /** @param nextOffset the offset after the marker just written; omit it if only time counts. */
  constructor(everyMs: number, nextOffset = 0) {
    this.#everyMs = everyMs
    this.renewed(nextOffset)
  }

  renewed(nextOffset = 0): void {
    this.#atMs = performance.now() + this.#everyMs
    this.#atWallMs = Date.now() + this.#everyMs
    this.#markedOffset = nextOffset
  }

  isDue(nextOffset = 0): boolean {
    const grown = nextOffset - this.#markedOffset
    return performance.now() >= this.#atMs || Date.now() >= this.#atWallMs || grown >= offsetsMax
  }

  get inMs(): number {
    return Math.max(0, Math.min(this.#atMs - performance.now(), this.#atWallMs - Date.now()))
  }
}
