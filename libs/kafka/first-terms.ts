import { LRUCache } from 'lru-cache'

import type { StoredBatch } from './record-batch.ts'
import type { Term } from './terms.ts'

/** The beginning of one partition's log. */
export interface LogBeginning {
  startOffset(): Promise<number>
  /** The first batches, and whether there are no more. */
  firstBatches(): Promise<{ readonly batches: readonly StoredBatch[]; readonly isAll: boolean }>
}

const logsMax = 10_000

/**
 * The first terms of logs that still have their beginning: there an owner's data stands behind its marker. Looked up in
 * the first piece of a log, which is where the first owner of a topic that was just created writes.
 */
export class FirstTerms {
  readonly #known = new LRUCache<string, { readonly term: Term | undefined }>({ max: logsMax })

  /** @param key of the log: topic id and partition. @returns undefined where that is not known. */
  async of(key: string, beginning: LogBeginning): Promise<Term | undefined> {
    const known = this.#known.get(key)
    if (known !== undefined) return known.term
    if ((await beginning.startOffset()) > 0) return this.#keep(key, undefined)
    const { batches, isAll } = await beginning.firstBatches()
    const marker = batches.find(({ isControl }) => isControl)
    // The first owner of a log that has none yet may still come.
    if (marker === undefined && isAll) return undefined
    return this.#keep(key, marker && { producerId: marker.producerId, epoch: marker.epoch })
  }

  #keep(key: string, term: Term | undefined): Term | undefined {
    this.#known.set(key, { term })
    return term
  }
}
