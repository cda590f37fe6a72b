/** Other instances tell nothing: whoever waits looks again after this long. */
const lookAgainMs = 20

/** Wakes those who wait for a projection to go on, when it has gone on here. */
export class Applications {
  readonly #waiting = new Map<string, Set<() => void>>()

  applied(projection: string): void {
    const waiting = this.#waiting.get(projection)
    if (waiting === undefined) return
    this.#waiting.delete(projection)
    for (const wake of waiting) wake()
  }

  /** Waits until something was applied to the projection, here or maybe elsewhere, and no longer than `msMax`. */
  next(projection: string, msMax: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const waiting = this.#waiting.get(projection) ?? new Set()
    this.#waiting.set(projection, waiting)
    const wake = () => {
      clearTimeout(timer)
      waiting.delete(wake)
      resolve(undefined)
    }
    const timer = setTimeout(wake, Math.min(lookAgainMs, Math.max(1, msMax)))
    waiting.add(wake)
    return promise
  }
}
