import type { StoredBatch } from './record-batch.ts'

/** An owner's term. The epoch grows from owner to owner; the producer id changes only when Kafka assigns another one. */
export interface Term {
  readonly producerId: bigint
  readonly epoch: number
}

/** A term, and the offset of its first marker in the partition. */
export interface TermStart extends Term {
  readonly offset: number
}

/** Data that is in the log but does not count: its producer is not that of the last marker before it. */
export interface Stray extends Term {
  readonly firstOffset: number
  readonly lastOffset: number
  /** The term in force there; undefined if none had begun. */
  readonly held: Term | undefined
}

/** Facts about data before the first marker of a log. They decide whether that data counts. */
export interface Unmarked {
  /** The log's first marker, after that data; undefined if it has none so far. */
  readonly marker: Term | undefined
  /** Whether the head of the log was deleted. */
  readonly isHeadless: boolean
  /** Whether the streams in the first batch start at version 1, as in a copied log. */
  readonly beginsStreams: boolean
  /** Whether any of that data has the marker's producer id. */
  readonly hasOwn: boolean
  /** Whether any of it has a producer id at all. */
  readonly hasProducer: boolean
}

/** The producer id of data from a producer without idempotence. Owners always have an id. */
const noProducerId = -1n

/** A run of batches, sorted by {@link TermRule}. */
interface Sifted {
  /** The data batches that count, in order. */
  readonly batches: readonly StoredBatch[]
  readonly strays: readonly Stray[]
  /** Markers that began another term than the one before. */
  readonly starts: readonly TermStart[]
}

export const isSameTerm = (a: Term | undefined, b: Term | undefined): boolean =>
  a?.producerId === b?.producerId && a?.epoch === b?.epoch

/**
 * The rule that decides which data in a partition of events counts: a batch counts if and only if its producer id and
 * epoch equal those of the last marker before it. Data before the first marker (the head of the log was deleted, or the log was
 * copied from another cluster) counts and is judged by its versions, with these exceptions:
 * - If the log still has its head, an owner's data comes after its marker. Data before the first marker can only belong to a
 *   copied log, whose first batch begins its streams. Data that continues streams missing from the log, or that has the first
 *   owner's producer id, was meant for a deleted topic of the same name and does not count.
 * - If the head was deleted, the marker of the owner that wrote this data was deleted with it. The next marker is its own or that of
 *   its successor, which has the same producer id. If any data before that marker has this id, no other data counts. Data
 *   without a producer id does not count beside data with one, because all owners have ids.
 *
 * The broker also fences an earlier owner, but only while it remembers the producer id. A coordinator that forgets an idle
 * transactional id assigns another producer id to the next owner, whose marker does not fence the previous owner.
 */
export class TermRule {
  #term: Term | undefined

  /** @param term the term in force at the first batch; undefined if no marker precedes it. */
  constructor(term: Term | undefined) {
    this.#term = term
  }

  /** The term in force after the last batch seen. */
  get term(): Term | undefined {
    return this.#term
  }

  /**
   * @param batches the partition's next batches, in order.
   * @param unmarked facts about data before the first marker; undefined if unknown.
   */
  sift(batches: readonly StoredBatch[], unmarked?: Unmarked): Sifted {
    const counted: StoredBatch[] = []
    const strays: Stray[] = []
    const starts: TermStart[] = []
    for (const batch of batches) {
      if (batch.isControl) this.#begin(batch, starts)
      else if (this.#counts(batch, unmarked)) counted.push(batch)
      else strays.push(strayOf(batch, this.#term))
    }
    return { batches: counted, strays, starts }
  }

  #counts(batch: StoredBatch, unmarked: Unmarked | undefined): boolean {
    if (this.#term !== undefined) return batch.isOf(this.#term)
    if (unmarked === undefined) return true
    const { marker, isHeadless, hasOwn, hasProducer, beginsStreams } = unmarked
    const isOwn = batch.producerId === marker?.producerId
    if (!isHeadless) return beginsStreams && !isOwn
    return hasOwn ? isOwn : !hasProducer || batch.producerId !== noProducerId
  }

  #begin(marker: StoredBatch, starts: TermStart[]): void {
    const { producerId, epoch } = marker
    if (this.#term?.producerId === producerId && this.#term.epoch === epoch) return
    this.#term = { producerId, epoch }
    starts.push({ producerId, epoch, offset: marker.baseOffset })
  }
}

const strayOf = (batch: StoredBatch, held: Term | undefined): Stray => ({
  producerId: batch.producerId,
  epoch: batch.epoch,
  firstOffset: batch.baseOffset,
  lastOffset: batch.lastOffset,
  held,
})
