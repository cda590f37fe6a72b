import type { StoredBatch } from './record-batch.ts'

/** An owner's term: the epoch grows from owner to owner; the producer id changes only when Kafka gives out another one. */
export interface Term {
  readonly producerId: bigint
  readonly epoch: number
}

/** A term, and the offset of its first marker in the partition. */
export interface TermStart extends Term {
  readonly offset: number
}

/** Data that is in the log but does not count: its producer was not the one of the last marker before it. */
export interface Stray extends Term {
  readonly firstOffset: number
  readonly lastOffset: number
  /** The term that held there; undefined where none had begun. */
  readonly held: Term | undefined
}

/** What tells which data counts that no marker is before. */
export interface Unmarked {
  /** The first marker that the log has, behind that data; undefined where it has none so far. */
  readonly marker: Term | undefined
  /** Whether the head of the log was deleted. */
  readonly isHeadless: boolean
  /** Whether the first batch begins its streams, as that of a copied log does. */
  readonly beginsStreams: boolean
  /** Whether any of that data is of the marker's producer id. */
  readonly hasOwn: boolean
  /** Whether any of it has a producer id at all. */
  readonly hasProducer: boolean
}

/** Data of a producer without idempotence. Owners have ids. */
const noProducerId = -1n

/** What {@link TermRule} makes of a run of batches. */
export interface Sifted {
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
 * epoch are those of the last marker before it. Where no marker is before it (the head of the log was deleted, or another
 * cluster's log was copied), it counts, and only its versions can tell, but for what the first marker behind it tells:
 * - In a log that still has its beginning, an owner's data stands behind its marker. Data before the first marker can only be that of a
 *   copied log, whose first batch begins its streams. Where it goes on with streams that the log does not have, or is of the first owner's
 *   producer id, it was meant for a topic of the same name that was deleted.
 * - Where the head was deleted, the marker of the owner that wrote there was deleted with it, and the next marker is its own or
 *   that of the owner after it, which has the same producer id. If any data before it is of that id, no other counts. Nor does data
 *   without a producer id beside data that has one: all owners have ids.
 *
 * The broker fences an older owner too, but only while it remembers the producer id: a coordinator that forgets an idle
 * transactional id gives the next owner another one, whose marker does not fence the owner before it.
 */
export class TermRule {
  #term: Term | undefined

  /** @param term that holds at the first batch; undefined where no marker is before it. */
  constructor(term: Term | undefined) {
    this.#term = term
  }

  /** The term that holds after the last batch seen. */
  get term(): Term | undefined {
    return this.#term
  }

  /**
   * @param batches the next ones of the partition, in order.
   * @param unmarked what is known of data before the first marker; undefined where nothing is.
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
