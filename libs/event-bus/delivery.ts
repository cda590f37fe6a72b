/** The outcome of publishing events. */
export interface Published {
  /**
   * Settles when every subscriber that matches these events is done with them.
   * @returns names of the subscribers that stopped or were cut off before that; empty when all have handled or skipped
   * the events
   */
  readonly handled: Promise<readonly string[]>
}

/** Counts who still has to handle the events of one publish. The publish itself counts too, until it is done. */
export class Delivery implements Published {
  readonly handled: Promise<readonly string[]>
  readonly #settle: (missedBy: readonly string[]) => void
  readonly #missedBy = new Set<string>()
  #open = 1

  constructor() {
    const { promise, resolve } = Promise.withResolvers<readonly string[]>()
    this.handled = promise
    this.#settle = resolve
  }

  expect(): void {
    this.#open++
  }

  done(missedBy?: string): void {
    if (missedBy !== undefined) this.#missedBy.add(missedBy)
    if (--this.#open === 0) this.#settle([...this.#missedBy])
  }
}
