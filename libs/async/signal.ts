/** Longer time-outs would overflow the timer and fire immediately. */
const timeoutMsMax = 2 ** 31 - 1

/** Wakes all waiters. A notice without a waiter is kept for the next wait, so none is missed. */
export class Signal {
  #notified = false
  #waiting: (() => void)[] = []

  notify(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#notified = waiting.length === 0
    for (const wake of waiting) wake()
  }

  /** Resolves at the next notice, after `timeoutMs`, or when `aborted` aborts. */
  async wait(timeoutMs: number, aborted?: AbortSignal): Promise<void> {
    if (this.#notified || aborted?.aborted === true) {
      this.#notified = false
      return
    }
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const wake = () => resolve(undefined)
    const timer = setTimeout(wake, Math.min(Math.max(timeoutMs, 0), timeoutMsMax))
    aborted?.addEventListener('abort', wake, { once: true })
    this.#waiting.push(wake)
    await promise
    clearTimeout(timer)
    aborted?.removeEventListener('abort', wake)
    this.#waiting = this.#waiting.filter((other) => other !== wake)
  }
}
