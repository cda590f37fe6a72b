import { LRUCache } from 'lru-cache'

/** Consecutive items of a partition. */
export interface DecodedPiece<Item> {
  readonly items: readonly Item[]
  /** The first offset that the piece covers. */
  readonly from: number
  /** The first offset of the next piece: after the last item and the markers that follow it. */
  readonly nextOffset: number
  /** The reader has caught up when `nextOffset` equals it. */
  readonly highWatermark: number
  /** Approximate size in memory. */
  readonly bytes: number
}

/** A cache of recently read pieces of all partitions, bounded in bytes; the least recently used is evicted first. */
export class PieceCache<Item> {
  readonly #pieces: LRUCache<string, Kept<Item>>
  /** The first offsets of the pieces of each partition, in order. */
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

  /** Keeps a piece, unless it covers no offset or is too large. @param source key of the partition */
  add(source: string, piece: DecodedPiece<Item>): void {
    if (piece.nextOffset === piece.from) return
    const key = keyOf(source, piece.from)
    const isKnown = this.#pieces.has(key)
    this.#pieces.set(key, { source, piece })
    if (!isKnown && this.#pieces.has(key)) this.#addStart(source, piece.from)
  }

  /** The piece that covers an offset. */
  at(source: string, offset: number): DecodedPiece<Item> | undefined {
    const starts = this.#starts.get(source) ?? []
    const from = starts[firstAbove(starts, offset) - 1]
    if (from === undefined) return undefined
    const piece = this.#pieces.get(keyOf(source, from))?.piece
    return piece !== undefined && offset < piece.nextOffset ? piece : undefined
  }

  /** Evicts all pieces of a partition, because its log was replaced. */
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

/** The index of the first greater number, by binary search; the length if there is none. */
function firstAbove(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? Infinity) > value) high = middle
    else low = middle + 1
  }
  return low
}
