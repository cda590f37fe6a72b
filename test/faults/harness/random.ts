/**
 * Random numbers from a seed: the same seed gives the same choices. FNV-1a mixes the seed, Mulberry32 generates the
 * numbers.
 */
export class Random {
  #state: number

  /** @param seed parts that identify this source together, e.g. the seed of a run and the number of a client */
  constructor(...seed: readonly (number | string)[]) {
    this.#state = 0x811c9dc5
    for (const character of seed.join('/'))
      this.#state = Math.imul(this.#state ^ character.charCodeAt(0), 0x01000193)
  }

  /** From 0 to 1, excluding 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** @throws Error for an empty list. */
  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error('nothing to pick from')
    return from[Math.floor(this.next() * from.length)] as T
  }

  shuffled<T>(from: readonly T[]): T[] {
    const left = [...from]
    return from.map(() => left.splice(Math.floor(this.next() * left.length), 1)[0] as T)
  }

  /** A UUID of version 4. */
  uuid(): string {
    const hex = (digits: number) =>
      Array.from({ length: digits }, () => this.between(0, 15).toString(16)).join('')
    return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`
  }
}
