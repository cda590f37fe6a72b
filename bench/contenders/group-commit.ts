/**
 * Sends waiting items as one batch, with one batch in flight, like the writer or any producer that needs order and few
 * requests.
 */
export class GroupCommit<Item> {
  readonly #send: (batch: readonly Item[]) => Promise<unknown>
  #waiting: { readonly item: Item; readonly answer: PromiseWithResolvers<unknown> }[] = []
  #sending = false

  constructor(send: (batch: readonly Item[]) => Promise<unknown>) {
    this.#send = send
  }

  /** Resolves when the batch of the item is acknowledged. */
  add(item: Item): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.push({ item, answer })
    if (!this.#sending) void this.#run()
    return answer.promise
  }

  async #run(): Promise<void> {
    this.#sending = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, 1_000)
      try {
        await this.#send(batch.map(({ item }) => item))
        for (const { answer } of batch) answer.resolve(undefined)
      } catch (error) {
        for (const { answer } of batch) answer.reject(error)
      }
    }
    this.#sending = false
  }
}
