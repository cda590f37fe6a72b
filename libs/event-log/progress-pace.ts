/** Decides when a subscriber that skips items receives its progress: at most once per interval, and only if it has moved. */
export class ProgressPace {
  readonly #intervalMs: number
  #heardAtMs = performance.now()
  #hasPassedOver = false

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Notes a batch and its delivered items. The cursor of the last delivered item covers all items before it. */
  saw<Item>(items: readonly Item[], delivered: readonly { readonly item: Item }[]): void {
    const last = delivered.at(-1)?.item
    if (last !== undefined) {
      this.#heardAtMs = performance.now()
      this.#hasPassedOver = false
    }
    this.#hasPassedOver ||= items.at(-1) !== last
  }

  /** Milliseconds until progress is due; undefined if there is none to report. */
  get dueInMs(): number | undefined {
    if (!this.#hasPassedOver) return undefined
    return Math.max(0, this.#heardAtMs + this.#intervalMs - performance.now())
  }

  /** Whether progress is due now. If so, the interval restarts. */
  isDue(): boolean {
    if (this.dueInMs !== 0) return false
    this.#heardAtMs = performance.now()
    this.#hasPassedOver = false
    return true
  }
}
