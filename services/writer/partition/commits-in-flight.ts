/** Commits sent to Redis without an answer. More would only queue there. */
const commitsMax = 8

/** The commits of a partition that are not answered yet. A script that Redis has lost is sent again, so answers may change their order. */
export class CommitsInFlight {
  readonly #onFailed: () => void
  readonly #pending = new Set<Promise<void>>()

  /** @param onFailed called when a commit failed: the index must catch up with the log. */
  constructor(onFailed: () => void) {
    this.#onFailed = onFailed
  }

  /** @param commit resolves to false if it failed; never rejects. */
  add(commit: Promise<boolean>): void {
    const pending = commit.then((isCurrent) => {
      this.#pending.delete(pending)
      if (!isCurrent) this.#onFailed()
    })
    this.#pending.add(pending)
  }

  /** Waits until another commit may be sent. */
  async room(): Promise<void> {
    while (this.#pending.size >= commitsMax) await Promise.race(this.#pending)
  }

  /** Waits until all are answered. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }
}
