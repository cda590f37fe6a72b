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

  /** The rest of the piece that holds this offset; undefined where none does. */
  from(offset: number): FedChunk | undefined {
    const found = this.#chunks.find(({ from, chunk }) => from <= offset && offset < chunk.nextOffset)
    if (found === undefined) return undefined
    if (found.from === offset) return found.chunk
    const { chunk } = found
    return { ...chunk, events: chunk.events.filter(({ position }) => position.offset >= offset) }
  }
}

/** A piece with nothing but markers takes room, too. */
const weightOf = ({ events }: FedChunk): number => Math.max(1, events.length)
