import { unlessAborted } from '#async'

import { formatCursor, type Offsets } from './cursor.ts'
import type { DecodedPiece } from './piece-cache.ts'
import { ProgressPace } from './progress-pace.ts'
import type { SharedLog } from './shared-log.ts'

/** A batch for a subscriber: some items of one partition, or only its progress. */
export interface SubscribedBatch<Item> {
  readonly items: readonly { readonly item: Item; readonly cursor: string }[]
  /** Resumes after all delivered and all skipped items. */
  readonly cursor: string
}

interface Subscribed<Item, Wanted extends Item> {
  readonly log: SharedLog<Item>
  readonly offsetOf: (item: Item) => number
  readonly topic: string
  /** The first offset to read in each partition of the topic. */
  readonly offsets: Offsets
  /** The partitions to read. */
  readonly partitions: readonly number[]
  /** Selects the items to deliver; others are skipped. An error that it throws ends the subscription. */
  readonly wanted: (item: Item) => item is Wanted
  /** Interval at which a subscriber that skips items receives its progress. Default 1,000. */
  readonly progressMs?: number
}

/** Items of one batch. The rest stays in the shared pieces. */
const batchItemsMax = 100

/**
 * Items of partitions from offsets on, then new ones as they are appended, until the signal aborts: in order within each
 * partition, partitions in turns. It holds only its offsets while its consumer does not ask, so a slow consumer costs no
 * memory: items that are no longer kept are fetched again. While no item is wanted it reports its cursor at intervals,
 * so the next subscription need not skip the same items again.
 */
export async function* subscribed<Item, Wanted extends Item>(
  { log, offsetOf, topic, offsets: starts, partitions, wanted, progressMs = 1_000 }: Subscribed<Item, Wanted>,
  signal: AbortSignal,
): AsyncGenerator<SubscribedBatch<Wanted>, void, void> {
  const offsets = [...starts]
  const news = new News()
  const pace = new ProgressPace(progressMs)
  const watches = partitions.map((partition) => log.watch({ topic, partition }, news))
  try {
    while (!signal.aborted) {
      const wasMoved = news.take()
      let isQuiet = true
      for (const partition of partitions) {
        const offset = offsets[partition] ?? 0
        const piece = await pieceAt(log, { topic, partition }, offset, signal)
        if (piece === undefined) continue
        const { items, nextOffset } = batchOf(piece, offset, offsetOf)
        isQuiet = false
        const placed = items.filter(wanted).map((item) => {
          offsets[partition] = offsetOf(item) + 1
          return { item, cursor: formatCursor(offsets) }
        })
        offsets[partition] = nextOffset
        pace.saw(items, placed)
        if (placed.length > 0) yield { items: placed, cursor: formatCursor(offsets) }
      }
      if (pace.isDue()) yield { items: [], cursor: formatCursor(offsets) }
      if (isQuiet && !wasMoved) await news.wait(signal, pace.dueInMs)
    }
  } finally {
    for (const unwatch of watches) unwatch()
  }
}

/** The next piece; undefined at the head, until it moves. */
async function pieceAt<Item>(
  log: SharedLog<Item>,
  source: { readonly topic: string; readonly partition: number },
  offset: number,
  signal: AbortSignal,
): Promise<DecodedPiece<Item> | undefined> {
  const kept = log.kept(source, offset)
  if (kept !== undefined) return kept
  return log.headOffset(source) === offset ? undefined : unlessAborted(signal, log.behind(source, offset))
}

function batchOf<Item>(
  { items, nextOffset }: DecodedPiece<Item>,
  offset: number,
  offsetOf: (item: Item) => number,
) {
  const first = firstFrom(items, offset, offsetOf)
  const rest = items[first + batchItemsMax]
  return {
    items: items.slice(first, first + batchItemsMax),
    nextOffset: rest === undefined ? nextOffset : offsetOf(rest),
  }
}

/** The index of the first item at or after an offset, by binary search. */
function firstFrom<Item>(items: readonly Item[], offset: number, offsetOf: (item: Item) => number): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (offsetOf(items[middle] as Item) < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** Remembers whether a head has moved since the last call of `take`. */
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

  /** @returns whether a head has moved. @throws the error with which the watch failed. */
  take(): boolean {
    if (this.#error !== undefined) throw this.#error.cause
    const isMoved = this.#isMoved
    this.#isMoved = false
    return isMoved
  }

  /** @param waitMsMax undefined: no limit. */
  async wait(signal: AbortSignal, waitMsMax: number | undefined): Promise<void> {
    if (this.#isMoved || this.#error !== undefined) return
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#wake = () => resolve(undefined)
    const timer = waitMsMax === undefined ? undefined : setTimeout(this.#wake, waitMsMax)
    await unlessAborted(signal, promise)
    clearTimeout(timer)
    this.#wake = () => undefined
  }
}
