/** Who may change views now. */
export interface Gate {
  run<T>(work: () => Promise<T>): Promise<T>
}

/** Views by stream: partitions have none in common. */
export const openGate: Gate = { run: (work) => work() }

/** Views across streams: one partition of this process at a time, in the order in which they came; they would only collide. */
export class SerialGate implements Gate {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}
