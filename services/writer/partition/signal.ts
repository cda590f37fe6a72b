/** Wakes whoever waits. A notice with nobody waiting is kept for the next wait, so that none is missed. */
export class Signal {
  #notified = false
  #waiting: (() => void)[] = []

  notify(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#notified = waiting.length === 0
    for (const wake of waiting) wake()
  }

  /** Resolves at the next notice, or after `timeoutMs`. */
  async wait(timeoutMs: number): Promise<void> {
    if (this.#notified) {
      this.#notified = false
      return
    }
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const wake = () => resolve(undefined)
    const timer = setTimeout(wake, Math.min(Math.max(timeoutMs, 0), 2 ** 31 - 1))
    this.#waiting.push(wake)
    await promise
    clearTimeout(timer)
    this.#waiting = this.#waiting.filter((other) => other !== wake)
  }
}
