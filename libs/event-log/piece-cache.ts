import { LRUCache } from 'lru-cache'

/** Some items of a partition, one right after the other. */
export interface DecodedPiece<Item> {
  readonly items: readonly Item[]
  /** Where it begins: no item stands before. */
  readonly from: number
  /** Where the next piece begins: after the last item, or after markers that stand behind it. */
  readonly nextOffset: number
  /** `nextOffset` at the high watermark means: caught up. */
  readonly highWatermark: number
  /** What it takes of memory, about. */
  readonly bytes: number
}

/** Pieces of partitions that were read last, up to a number of bytes over all of them; those not used for longest leave first. */
export class PieceCache<Item> {
  readonly #pieces: LRUCache<string, Kept<Item>>
  /** Where the pieces of each partition begin, in order. */
  readonly #starts = new Map<string, number[]>()

  constructor(bytesMax: number) {
    this.#pieces = new LRUCache({
      maxSize: bytesMax,
      sizeCalculation: ({ piece }) => Math.max(1, piece.bytes),
      dispose: ({ source, piece }, _, reason) => {
        if (reason !== 'set') this.#removeStart(source, piece.from)
      },
    })
  }

  get bytes(): number {
    return this.#pieces.calculatedSize
  }

  /** A piece that moves nothing is not kept, nor one that is too large. @param source key of the partition */
  add(source: string, piece: DecodedPiece<Item>): void {
    if (piece.nextOffset === piece.from) return
    const key = keyOf(source, piece.from)
    const isKnown = this.#pieces.has(key)
    this.#pieces.set(key, { source, piece })
    if (!isKnown && this.#pieces.has(key)) this.#addStart(source, piece.from)
  }

  /** The piece that holds an offset. */
  at(source: string, offset: number): DecodedPiece<Item> | undefined {
    const starts = this.#starts.get(source) ?? []
    const from = starts[firstAbove(starts, offset) - 1]
    if (from === undefined) return undefined
    const piece = this.#pieces.get(keyOf(source, from))?.piece
    return piece !== undefined && offset < piece.nextOffset ? piece : undefined
  }

  /** Forgets all of a partition: its log is another one. */
  forget(source: string): void {
    for (const from of [...(this.#starts.get(source) ?? [])]) this.#pieces.delete(keyOf(source, from))
  }

  #addStart(source: string, from: number): void {
    const starts = this.#starts.get(source) ?? []
    starts.splice(firstAbove(starts, from), 0, from)
    this.#starts.set(source, starts)
  }

  #removeStart(source: string, from: number): void {
    const starts = this.#starts.get(source) ?? []
    const at = firstAbove(starts, from) - 1
    if (starts[at] === from) starts.splice(at, 1)
  }
}

interface Kept<Item> {
  readonly source: string
  readonly piece: DecodedPiece<Item>
}

const keyOf = (source: string, from: number): string => `${source}@${from}`

/** The index of the first number that is greater, by halving; the length where none is. */
function firstAbove(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? Infinity) > value) high = middle
    else low = middle + 1
  }
  return low
}
