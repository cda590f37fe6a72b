import { InvalidInputError } from '#domain'
import { eventIn } from '#event-log'
import { LogError, type LogReader, type StoredRecord } from '#kafka'
import {
  catchUp,
  type CatchUp,
  type CatchUpProgress,
  type Guard,
  type IndexEntry,
  type LogPiece,
  type PartitionIndex,
} from '#redis-index'

import { toIndexEntry } from './index-entry.ts'

export interface IndexCatchUpParts {
  readonly topic: string
  readonly partition: number
  readonly index: PartitionIndex
  readonly reader: LogReader
  /** @param events applied since the last call. */
  readonly onProgress: (progress: CatchUpProgress, events: number) => void
  /** Told of each record that the index leaves out, for it is no event that an owner appended. */
  readonly onForeign: (offset: number, reason: string) => void
}

/** Brings a partition's index to the end of its log. The log decides; the index follows. */
export class IndexCatchUp {
  readonly #parts: IndexCatchUpParts

  constructor(parts: IndexCatchUpParts) {
    this.#parts = parts
  }

  /** For a new term: up to the term's own marker, behind which nobody else has appended. */
  toMarker(term: Pick<Guard, 'topicId' | 'epoch'>, endOffset: number): Promise<Guard> {
    return this.#upTo(endOffset, { ...term, isServingTerm: false })
  }

  #upTo(endOffset: number, term: Pick<CatchUp, 'topicId' | 'epoch' | 'isServingTerm'>): Promise<Guard> {
    const { index, onForeign } = this.#parts
    let reported = 0
    const onProgress = (progress: CatchUpProgress) => {
      this.#parts.onProgress(progress, progress.events - reported)
      reported = progress.events
    }
    return catchUp(index, {
      ...term,
      endOffset,
      read: (from) => this.#pieces(from, endOffset),
      onProgress,
      onMisfit: ({ streamId, version, offset }, before) =>
        onForeign(offset, `it is version ${version} of ${streamId}, which is at version ${before} there`),
    })
  }

  /** Tells of what somebody else has put between two batches of an owner, past its fence. */
  async tellForeign(from: number, until: number): Promise<void> {
    const { reader, topic, partition, onForeign } = this.#parts
    for await (const records of reader.read(topic, partition, { from, until })) {
      for (const { offset } of records) onForeign(offset, 'no owner of the partition appended it')
    }
  }

  /**
   * Within a term, when the index was found behind.
   * @throws LogError `fenced` when the index is a later owner's: it must not be taken back from it.
   */
  async again(guard: Guard): Promise<Guard> {
    const { index, reader, topic, partition } = this.#parts
    const stored = await index.guard()
    if (stored?.topicId === guard.topicId && stored.epoch > guard.epoch) {
      throw new LogError(
        'fenced',
        `the index of ${topic}/${partition} has a later owner (epoch ${stored.epoch})`,
      )
    }
    // Right after a change of leaders the high watermark may still be short of what was acknowledged.
    const endOffset = Math.max(guard.nextOffset, await reader.endOffset(topic, partition))
    return this.#upTo(endOffset, { topicId: guard.topicId, epoch: guard.epoch, isServingTerm: true })
  }

  async *#pieces(from: number, until: number): AsyncGenerator<LogPiece> {
    const { reader, topic, partition } = this.#parts
    for await (const records of reader.read(topic, partition, { from, until })) {
      const entries = records.flatMap((record) => this.#entryOf(record))
      yield { entries, nextOffset: (records.at(-1)?.offset ?? from) + 1 }
    }
    // Markers at the end take offsets, too.
    yield { entries: [], nextOffset: until }
  }

  #entryOf(record: StoredRecord): IndexEntry[] {
    try {
      return [toIndexEntry(eventIn(this.#parts.topic, record), record.offset)]
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      this.#parts.onForeign(record.offset, error.message)
      return []
    }
  }
}
