import { unlessAborted } from '#kafka'

import type { Piece } from './kept-pieces.ts'
import type { SharedLog } from './shared-log.ts'

/** Some items of one partition, for one subscriber. */
export interface Batch<Item> {
  readonly partition: number
  readonly items: readonly Item[]
}

export interface Subscribed<Item> {
  readonly log: SharedLog<Item>
  readonly offsetOf: (item: Item) => number
  readonly topic: string
  /** Where to begin in each partition that is wanted. */
  readonly starts: ReadonlyMap<number, number>
}

/** A subscriber gets so many items at a time: what it does not take stays in what all share. */
const batchItemsMax = 100

/**
 * Items of partitions from offsets on, then new ones as they come, until the signal aborts: in order within each partition,
 * partitions in turns. It holds nothing but its offsets while its reader does not ask, so a slow reader costs no memory,
 * and what it has left behind is read again when it comes back for it.
 */
export async function* subscribed<Item>(
  { log, offsetOf, topic, starts }: Subscribed<Item>,
  signal: AbortSignal,
): AsyncGenerator<Batch<Item>, void, void> {
  const offsets = new Map(starts)
  const news = new News()
  const watches = [...starts.keys()].map((partition) => log.watch({ topic, partition }, news))
  try {
    while (!signal.aborted) {
      const wasMoved = news.take()
      let isQuiet = true
      for (const [partition, offset] of offsets) {
        const piece = await pieceAt(log, { topic, partition }, offset, signal)
        if (piece === undefined) continue
        const { items, nextOffset } = batchOf(piece, offset, offsetOf)
        isQuiet = false
        offsets.set(partition, nextOffset)
        if (items.length > 0) yield { partition, items }
      }
      if (isQuiet && !wasMoved) await news.wait(signal)
    }
  } finally {
    for (const unwatch of watches) unwatch()
  }
}

/** Undefined at the head: there is nothing more until it moves. */
async function pieceAt<Item>(
  log: SharedLog<Item>,
  source: { readonly topic: string; readonly partition: number },
  offset: number,
  signal: AbortSignal,
): Promise<Piece<Item> | undefined> {
  const kept = log.kept(source, offset)
  if (kept !== undefined) return kept
  return log.headOffset(source) === offset ? undefined : unlessAborted(signal, log.behind(source, offset))
}

function batchOf<Item>({ items, nextOffset }: Piece<Item>, offset: number, offsetOf: (item: Item) => number) {
  const first = firstFrom(items, offset, offsetOf)
  const rest = items[first + batchItemsMax]
  return {
    items: items.slice(first, first + batchItemsMax),
    nextOffset: rest === undefined ? nextOffset : offsetOf(rest),
  }
}

/** The index of the first item at or behind an offset, by halving. */
function firstFrom<Item>(items: readonly Item[], offset: number, offsetOf: (item: Item) => number): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (offsetOf(items[middle] as Item) < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** Whether something has moved since one last looked. */
class News {
  #isMoved = false
  #error: { readonly cause: unknown } | undefined
  #wake: () => void = () => undefined

  readonly moved = (): void => {
    this.#isMoved = true
    this.#wake()
  }

  readonly failed = (cause: unknown): void => {
    this.#error = { cause }
    this.#wake()
  }

  /** @returns whether there was any. @throws why none can come any more. */
  take(): boolean {
    if (this.#error !== undefined) throw this.#error.cause
    const isMoved = this.#isMoved
    this.#isMoved = false
    return isMoved
  }

  async wait(signal: AbortSignal): Promise<void> {
    if (this.#isMoved || this.#error !== undefined) return
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#wake = () => resolve(undefined)
    await unlessAborted(signal, promise)
    this.#wake = () => undefined
  }
}
