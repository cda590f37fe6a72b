import type { OwnersTable } from '#kafka'

/** How old the table may be when it is used without a special reason to ask again. */
const freshMs = 5_000
/** However many callers find it wrong at once, the group is asked no more often than this. */
const askMsMin = 100

/** Who owns which partition, as the group last said. Wrong for a moment after every move; nothing depends on it but detours. */
export class OwnerTable {
  readonly #ask: () => Promise<OwnersTable>
  #table: OwnersTable = new Map()
  #askedAtMs = -Infinity
  #doubted = false
  #asking: Promise<OwnersTable> | undefined

  constructor(ask: () => Promise<OwnersTable>) {
    this.#ask = ask
  }

  /** What was known last; empty at the very beginning. */
  get latest(): OwnersTable {
    return this.#table
  }

  /** An owner did not answer as one: whoever asks next is told anew. */
  doubt(): void {
    this.#doubted = true
  }

  /** @param wrong the table at hand has just been found wrong: ask again, even if it is young. */
  async get(wrong = false): Promise<OwnersTable> {
    const ageMs = performance.now() - this.#askedAtMs
    if (ageMs < (wrong || this.#doubted ? askMsMin : freshMs)) return this.#table
    this.#doubted = false
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    this.#table = await this.#asking
    this.#askedAtMs = performance.now()
    return this.#table
  }
}
