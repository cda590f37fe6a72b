/** When a subscriber that passes over items is to hear how far it is: not more often than at its interval, nor without need. */
export class ProgressPace {
  readonly #intervalMs: number
  #heardAtMs = performance.now()
  #hasPassedOver = false

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Of the items of a batch, some were delivered: the cursor of the last one stands for all before it. */
  saw<Item>(items: readonly Item[], delivered: readonly { readonly item: Item }[]): void {
    const last = delivered.at(-1)?.item
    if (last !== undefined) {
      this.#heardAtMs = performance.now()
      this.#hasPassedOver = false
    }
    this.#hasPassedOver ||= items.at(-1) !== last
  }

  /** Milliseconds until the subscriber is to hear; undefined: it knows all there is to know. */
  get dueInMs(): number | undefined {
    if (!this.#hasPassedOver) return undefined
    return Math.max(0, this.#heardAtMs + this.#intervalMs - performance.now())
  }

  /** Whether it is to hear now; then the interval begins again. */
  isDue(): boolean {
    if (this.dueInMs !== 0) return false
    this.#heardAtMs = performance.now()
    this.#hasPassedOver = false
    return true
  }
}
