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
  /** Called for each foreign record: no owner appended it, so the index omits it. */
  readonly onForeign: (offset: number, reason: string) => void
}

type OwnTerm = Omit<Guard, 'nextOffset'>

/** Brings the index of a partition up to the end of its log, which is the source of truth. */
export class IndexCatchUp {
  readonly #parts: IndexCatchUpParts

  constructor(parts: IndexCatchUpParts) {
    this.#parts = parts
  }

  /**
   * Catches up at the start of a term, up to the term's own marker. No other owner has appended after it.
   * @throws LogError `fenced` if the log has a later term, because this process was suspended after its take-over;
   * `events-deleted` if the log lacks events that the index needs, and no operator has accepted that.
   */
  toMarker(term: OwnTerm, endOffset: number): Promise<Guard> {
    return this.#upTo(endOffset, term)
  }

  /**
   * Catches up within a term, after the index was found behind.
   * @param markedOffset the offset after the term's first marker.
   * @throws LogError `fenced` if the log has a later term; `events-deleted`; `take-over` if the log no longer has the
   * term's marker.
   */
  async again(guard: Guard, markedOffset: number): Promise<Guard> {
    const { index, reader, topic, partition } = this.#parts
    const stored = await index.guard()
    const startOffset = await reader.startOffset(topic, partition)
    // Without the marker, this owner's data could not be distinguished from the data of other producers.
    if ((stored?.nextOffset ?? 0) < startOffset && markedOffset < startOffset) throw this.#markerGone()
    // Right after a leader change the high watermark may still be below acknowledged offsets.
    const endOffset = Math.max(guard.nextOffset, await reader.endOffset(topic, partition))
    return this.#upTo(endOffset, guard)
  }

  /** Reports data of other producers before an appended batch. */
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
            `it is version ${version} of ${streamId}, but the stream is at version ${before} there`,
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
    return new LogError('fenced', `the term of ${topic}/${partition} is over: ${cause.message}`, { cause })
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
    // Markers at the end take offsets too.
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
