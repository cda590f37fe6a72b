/** Without another marker in so many offsets, whoever looks for the term would have to read far back. */
const offsetsMax = 500_000

/**
 * When an owner writes its marker again. By the clock that stands still while a machine is suspended, by the clock on the wall,
 * which does not, so that a machine that wakes asks the coordinator before it appends; and by how far the log has grown.
 */
export class Renewal {
  readonly #everyMs: number
  #atMs = 0
  #atWallMs = 0
  #markedOffset = 0

  /** @param nextOffset behind the marker just written. */
  constructor(everyMs: number, nextOffset: number) {
    this.#everyMs = everyMs
    this.renewed(nextOffset)
  }

  renewed(nextOffset: number): void {
    this.#atMs = performance.now() + this.#everyMs
    this.#atWallMs = Date.now() + this.#everyMs
    this.#markedOffset = nextOffset
  }

  isDue(nextOffset: number): boolean {
    const grown = nextOffset - this.#markedOffset
    return performance.now() >= this.#atMs || Date.now() >= this.#atWallMs || grown >= offsetsMax
  }

  get inMs(): number {
    return Math.max(0, Math.min(this.#atMs - performance.now(), this.#atWallMs - Date.now()))
  }
}
