import { LRUCache } from 'lru-cache'

import { InvalidInputError } from '#domain'

import { type EncodedEvent, fromStoredRecord } from '#event-log/records'
import type { StoredBatch } from './record-batch.ts'
import type { Term, Unmarked } from './terms.ts'

/** Reads one partition's log. */
interface PieceSource {
  startOffset(): Promise<number>
  /** Some batches, starting with the one that contains the offset. */
  pieceAt(
    offset: number,
  ): Promise<{ readonly batches: readonly StoredBatch[]; readonly highWatermark: number }>
}

const logsMax = 10_000
/** Owners write a marker at least every 500,000 offsets. After twice as many without one, the search ends. */
const offsetsMax = 1_000_000

/**
 * Finds the first marker of logs that begin with data. If the head of a log was deleted, it reads ahead to the marker. In a log
 * with its head, it reads the first piece only, because the first owner of a new topic writes there.
 */
export class UnmarkedData {
  readonly #known = new LRUCache<string, Unmarked>({ max: logsMax })

  /** @param log topic id and partition. */
  async of(log: string, source: PieceSource): Promise<UnmarkedFindings> {
    const start = await source.startOffset()
    const key = `${log}/${start}`
    const known = this.#known.get(key)
    if (known !== undefined) return { ...known, mayGetMarker: false }
    const found = await search(source, start)
    if (!found.mayGetMarker) this.#known.set(key, found)
    return found
  }
}

/** Facts about data before the first marker, and whether they may still change. */
export interface UnmarkedFindings extends Unmarked {
  /** Whether the log ends without a marker, so that a later marker may still decide. */
  readonly mayGetMarker: boolean
}

async function search(source: PieceSource, start: number): Promise<UnmarkedFindings> {
  const producers = new Set<bigint>()
  const isHeadless = start > 0
  let beginsStreams = true
  const found = (marker: Term | undefined, mayGetMarker: boolean): UnmarkedFindings => {
    const hasOwn = marker !== undefined && producers.has(marker.producerId)
    const hasProducer = [...producers].some((id) => id >= 0n)
    return { marker, isHeadless, hasOwn, hasProducer, beginsStreams, mayGetMarker }
  }
  for (let offset = start; offset < start + offsetsMax;) {
    const { batches, highWatermark } = await source.pieceAt(offset)
    const [first] = batches
    if (offset === 0 && first !== undefined) beginsStreams = beginsItsStreams(first)
    for (const { isControl, producerId, epoch } of batches) {
      if (isControl) return found({ producerId, epoch }, false)
      producers.add(producerId)
    }
    const next = (batches.at(-1)?.lastOffset ?? offset - 1) + 1
    if (next >= highWatermark || next === offset) return found(undefined, true)
    if (!isHeadless) break
    offset = next
  }
  return found(undefined, false)
}

/** Whether each stream in the first batch of a log starts at version 1. Records that are not events are ignored. */
function beginsItsStreams(batch: StoredBatch): boolean {
  const versions = new Map<string, number>()
  for (const { streamId, version } of eventsOf(batch)) {
    if (version !== (versions.get(streamId) ?? 0) + 1) return false
    versions.set(streamId, version)
  }
  return true
}

function* eventsOf(batch: StoredBatch): Generator<EncodedEvent> {
  for (const record of batch.records()) {
    try {
      yield fromStoredRecord(record)
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
    }
  }
}
