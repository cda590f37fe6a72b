/** Commits sent to Redis without an answer. More would only queue there. */
const commitsMax = 8

/** The commits of a partition that are not answered yet. They are answered in the order in which they were sent. */
export class CommitsInFlight {
  readonly #onFailed: () => void
  #pending: Promise<void>[] = []

  /** @param onFailed called when a commit failed: the index must catch up with the log. */
  constructor(onFailed: () => void) {
    this.#onFailed = onFailed
  }

  /** @param commit resolves to false if it failed; never rejects. */
  add(commit: Promise<boolean>): void {
    const pending = commit.then((isCurrent) => {
      this.#pending.shift()
      if (!isCurrent) this.#onFailed()
    })
    this.#pending.push(pending)
  }

  /** Waits until another commit may be sent. */
  async room(): Promise<void> {
    while (this.#pending.length >= commitsMax) await this.#pending[0]
  }

  /** Waits until all are answered. */
  async settled(): Promise<void> {
    while (this.#pending.length > 0) await this.#pending[0]
  }
}
