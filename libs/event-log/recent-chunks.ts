import type { FedChunk } from '#projections'

/** Events that are kept for those who are a little behind the head. */
const eventsMax = 2_000

/** The latest pieces of a partition, one right after the other. */
export class RecentChunks {
  readonly #chunks: { readonly from: number; readonly chunk: FedChunk }[] = []
  #events = 0
  #nextOffset = 0

  /** Where the next piece begins. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Begins anew at an offset, without what was kept. */
  startAt(offset: number): void {
    this.#chunks.length = 0
    this.#events = 0
    this.#nextOffset = offset
  }

  add(chunk: FedChunk): void {
    const from = this.nextOffset
    this.#nextOffset = chunk.nextOffset
    if (chunk.nextOffset === from) return
    this.#chunks.push({ from, chunk })
    this.#events += weightOf(chunk)
    while (this.#events > eventsMax && this.#chunks.length > 1) {
      const oldest = this.#chunks.shift()
      if (oldest !== undefined) this.#events -= weightOf(oldest.chunk)
    }
  }

  /**
   * All that is kept from an offset on, as one piece: whoever is behind catches up in one step, not in as many as there
   * were pieces. Undefined where no piece holds the offset.
   */
  from(offset: number): FedChunk | undefined {
    const at = this.#chunks.findIndex(({ from, chunk }) => from <= offset && offset < chunk.nextOffset)
    const last = this.#chunks.at(-1)
    if (at < 0 || last === undefined) return undefined
    const events = this.#chunks.slice(at).flatMap(({ chunk }) => chunk.events)
    const first = events.findIndex(({ position }) => position.offset >= offset)
    return { ...last.chunk, events: first < 0 ? [] : events.slice(first) }
  }
}

/** A piece with nothing but markers takes room, too. */
const weightOf = ({ events }: FedChunk): number => Math.max(1, events.length)
