/** The marker is repeated after this many offsets, so that readers find the term without reading far back. */
const offsetsMax = 500_000

/**
 * When an owner must write its marker again: by the monotonic clock, which stands still while a machine is suspended; by
 * the wall clock, which does not, so that a machine that wakes asks the coordinator before it appends; and by how far
 * the log has grown.
 */
export class Renewal {
  readonly #everyMs: number
  #atMs = 0
  #atWallMs = 0
  #markedOffset = 0

  /** @param nextOffset the offset after the marker just written; leave it out where only time counts. */
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
