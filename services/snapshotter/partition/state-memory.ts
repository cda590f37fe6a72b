/** The bound on the memory of folded states, shared by all partitions of a process. */
export class StateMemory {
  readonly #bytesMax: number
  #usedBytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get isFull(): boolean {
    return this.#usedBytes >= this.#bytesMax
  }

  /** @param bytes negative to release them. */
  add(bytes: number): void {
    this.#usedBytes += bytes
  }
}
