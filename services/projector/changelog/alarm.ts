/** Wakes the one who waits. When nobody does it is kept for the next wait, so that none is missed. */
export class Alarm {
  #isRung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#isRung = true
    this.#wake?.()
  }

  /** Waits until it rings, the time is over or the signal aborts. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#isRung && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      const wake = (): void => resolve(undefined)
      const timer = setTimeout(wake, timeoutMs)
      signal.addEventListener('abort', wake, { once: true })
      this.#wake = wake
      await promise
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
    }
    this.#isRung = false
  }
}
