import type { ProgressDisplay } from './progress-display.ts'

/** Quicker work needs no progress. */
const quietMs = 2_000

/** Counts what is done, and shows it with its rate and the time that is left. */
export class ProgressMeter {
  readonly #display: ProgressDisplay
  readonly #beganMs = performance.now()
  #done = 0
  #total: number

  constructor(display: ProgressDisplay, total: number) {
    this.#display = display
    this.#total = total
  }

  /** More has turned out to be done. */
  extend(by: number): void {
    this.#total += by
  }

  advance(by: number): void {
    this.#done += by
    this.#total = Math.max(this.#total, this.#done)
    const elapsedMs = performance.now() - this.#beganMs
    if (elapsedMs < quietMs) return
    const rate = Math.round(this.#done / (elapsedMs / 1_000))
    const left = this.#total - this.#done
    this.#display.show({
      done: this.#done,
      total: this.#total,
      rate,
      ...(left > 0 && rate > 0 && { etaSeconds: Math.ceil(left / rate) }),
    })
  }

  end(): void {
    this.#display.end()
  }
}
