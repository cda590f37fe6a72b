import { LRUCache } from 'lru-cache'

import type { StoredBatch } from './record-batch.ts'
import type { Unmarked } from './terms.ts'

/** One partition's log, as far as this search needs it. */
export interface PieceSource {
  startOffset(): Promise<number>
  /** Some batches from the one that holds the offset. */
  pieceAt(
    offset: number,
  ): Promise<{ readonly batches: readonly StoredBatch[]; readonly highWatermark: number }>
}

const logsMax = 10_000
/** Owners write a marker at least every 500,000 offsets: behind twice as many, none of theirs will come. */
const offsetsMax = 1_000_000

/**
 * Looks for the first marker of logs that begin with data. Where the head of a log was deleted it reads ahead to the marker; a log
 * that has its beginning is looked at in its first piece only, which is where the first owner of a new topic writes.
 */
export class UnmarkedData {
  readonly #known = new LRUCache<string, { readonly found: Unmarked | undefined }>({ max: logsMax })

  /** @param log topic id and partition. @returns undefined where no marker is found. */
  async of(log: string, source: PieceSource): Promise<Unmarked | undefined> {
    const start = await source.startOffset()
    const key = `${log}/${start}`
    const known = this.#known.get(key)
    if (known !== undefined) return known.found
    const { found, isAll } = await search(source, start)
    // Where the log ends without one, it may still come.
    if (found !== undefined || !isAll) this.#known.set(key, { found })
    return found
  }
}

async function search(
  source: PieceSource,
  start: number,
): Promise<{ readonly found: Unmarked | undefined; readonly isAll: boolean }> {
  const producers = new Set<bigint>()
  for (let offset = start; offset < start + offsetsMax;) {
    const { batches, highWatermark } = await source.pieceAt(offset)
    const marker = batches.find(({ isControl }) => isControl)
    for (const batch of batches) {
      if (batch === marker) break
      producers.add(batch.producerId)
    }
    if (marker !== undefined) {
      const { producerId, epoch } = marker
      const found = {
        marker: { producerId, epoch },
        isHeadless: start > 0,
        hasOwn: producers.has(producerId),
      }
      return { found, isAll: false }
    }
    const next = (batches.at(-1)?.lastOffset ?? offset - 1) + 1
    if (next >= highWatermark || next === offset) return { found: undefined, isAll: true }
    if (start === 0) break
    offset = next
  }
  return { found: undefined, isAll: false }
}
