import { eventIn } from '#event-log/records'
import { isSameTerm, LogError, type LogReader, type StoredRecord, type Stray } from '#kafka'
import { InvalidInputError } from '#domain'
import { eventsDeleted } from '#event-log'
import { reportSafely } from '#observability'
import {
  catchUp,
  type CatchUpProgress,
  type Guard,
  HeadDeletedError,
  type IndexEntry,
  LaterOwnerError,
  type LogPiece,
  type PartitionIndex,
} from '#redis-index'

import { toIndexEntry } from './index-entry.ts'

interface IndexCatchUpParts {
  readonly topic: string
  readonly partition: number
  readonly index: PartitionIndex
  readonly reader: LogReader
  readonly onProgress: (progress: CatchUpProgress) => void
  /** Called for each record that the index leaves out, for it is no event that an owner appended. */
  readonly onForeign: (offset: number, reason: string) => void
}

type OwnTerm = Omit<Guard, 'nextOffset'>

/** Brings a partition's index to the end of its log. The log decides; the index follows. */
export class IndexCatchUp {
  readonly #parts: IndexCatchUpParts

  constructor(parts: IndexCatchUpParts) {
    this.#parts = parts
  }

  /**
   * For a new term: up to the term's own marker. No other owner has appended after it.
   * @throws LogError `fenced` where a later term owns the index: this owner slept after its take-over; `events-deleted` where the log
   * lacks what the index needs, and no operator has accepted that.
   */
  toMarker(term: OwnTerm, endOffset: number): Promise<Guard> {
    return this.#upTo(endOffset, term)
  }

  /**
   * Within a term, when the index was found behind.
   * @param markedOffset behind the term's first marker.
   * @throws LogError `fenced` when the index is a later owner's: it must not be taken back from it; `events-deleted`;
   * `take-over` where the log no longer has the term's marker.
   */
  async again(guard: Guard, markedOffset: number): Promise<Guard> {
    const { index, reader, topic, partition } = this.#parts
    const stored = await index.guard()
    const startOffset = await reader.startOffset(topic, partition)
    // Without a marker in what is left, this owner's data could not be distinguished from others'.
    if ((stored?.nextOffset ?? 0) < startOffset && markedOffset < startOffset) throw this.#markerGone()
    // Right after a change of leaders the high watermark may still be short of what was acknowledged.
    const endOffset = Math.max(guard.nextOffset, await reader.endOffset(topic, partition))
    return this.#upTo(endOffset, guard)
  }

  /** Reports data of others that an append found in its way. */
  reportStrays(strays: readonly Stray[]): void {
    for (const { firstOffset, lastOffset, producerId, epoch } of strays) {
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        this.#foreign(offset, `producer ${producerId}, epoch ${epoch}, does not own the partition there`)
      }
    }
  }

  async #upTo(endOffset: number, { topicId, producerId, epoch }: OwnTerm): Promise<Guard> {
    const { index, reader, topic, partition, onProgress } = this.#parts
    const startOffset = await reader.startOffset(topic, partition)
    if (startOffset > endOffset) throw this.#markerGone()
    try {
      return await catchUp(index, {
        ...{ topicId, producerId, epoch, endOffset, onProgress },
        isLastTerm: () => this.#isLastTerm({ producerId, epoch }),
        startOffset,
        acceptedStart: await index.acceptedStart(topicId),
        read: (from) => this.#pieces(from, endOffset),
        onMisfit: ({ streamId, version, offset }, before) =>
          this.#foreign(
            offset,
            `it is version ${version} of ${streamId}, which is at version ${before} there`,
          ),
      })
    } catch (error) {
      if (error instanceof LaterOwnerError) throw this.#fenced(error)
      if (!(error instanceof HeadDeletedError)) throw error
      throw eventsDeleted(this.#parts, error.startOffset, 'its index', error.nextOffset)
    }
  }

  #fenced(cause: LaterOwnerError): LogError {
    const { topic, partition } = this.#parts
    return new LogError('fenced', `the index of ${topic}/${partition} has a later owner: ${cause.message}`, {
      cause,
    })
  }

  #markerGone(): LogError {
    const { topic, partition } = this.#parts
    return new LogError(
      'take-over',
      `the head of ${topic}/${partition} was deleted, and this term's marker with it: take over again`,
    )
  }

  async #isLastTerm(term: Pick<Guard, 'producerId' | 'epoch'>): Promise<boolean> {
    const { reader, topic, partition } = this.#parts
    return isSameTerm(await reader.lastTerm(topic, partition), term)
  }

  async *#pieces(from: number, until: number): AsyncGenerator<LogPiece> {
    const { reader, topic, partition } = this.#parts
    let next = from
    for await (const { records, strays, starts } of reader.readPieces(topic, partition, { from, until })) {
      this.reportStrays(strays)
      next = (records.at(-1)?.offset ?? next - 1) + 1
      yield { entries: records.flatMap((record) => this.#entryOf(record)), starts, nextOffset: next }
    }
    // Markers at the end take offsets, too.
    yield { entries: [], nextOffset: until }
  }

  #entryOf(record: StoredRecord): IndexEntry[] {
    try {
      return [toIndexEntry(eventIn(this.#parts.topic, record), record.offset)]
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error
      this.#foreign(record.offset, error.message)
      return []
    }
  }

  #foreign(offset: number, reason: string): void {
    reportSafely(() => this.#parts.onForeign(offset, reason))
  }
}
