/** Decides when a runner may change views. */
export interface Gate {
  run<T>(work: () => Promise<T>): Promise<T>
}

/** For views by stream: partitions share none. */
export const openGate: Gate = { run: (work) => work() }

/** For views across streams: admits one partition of this process at a time, in order of arrival. In parallel they would only collide. */
export class SerialGate implements Gate {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}
