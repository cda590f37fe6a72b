import { eventsDeleted } from '#event-log'
import type { LogReader } from '#kafka'
import type { PartitionIndex } from '#redis-index'

import type { LogPartition } from '../verify/check-record.ts'

/** Checks that the log of a partition still has its head. If the head was deleted, the request can accept that. */
export class PartitionHead {
  readonly #place: LogPartition
  readonly #index: PartitionIndex
  readonly #reader: LogReader
  readonly #accepts: boolean
  #startOffset = 0
  #acceptedBefore = 0

  constructor(place: LogPartition, index: PartitionIndex, reader: LogReader, accepts: boolean) {
    this.#place = place
    this.#index = index
    this.#reader = reader
    this.#accepts = accepts
  }

  /** The offset before which deleted events were accepted; 0 for none. */
  get acceptedBefore(): number {
    return this.#acceptedBefore
  }

  /** @throws LogError `events-deleted` if the head was deleted and the request does not accept that. */
  async check(): Promise<void> {
    const { topic, topicId, partition } = this.#place
    this.#startOffset = await this.#reader.startOffset(topic, partition)
    if (this.#startOffset === 0 || this.#accepts) return
    this.#acceptedBefore = await this.#index.acceptedStart(topicId)
    if (this.#acceptedBefore < this.#startOffset) {
      throw eventsDeleted(this.#place, this.#startOffset, 'a rebuilt index', 0)
    }
  }

  async accept(): Promise<void> {
    if (this.#startOffset === 0 || !this.#accepts) return
    await this.#index.acceptDeletedBefore(this.#place.topicId, this.#startOffset)
    this.#acceptedBefore = this.#startOffset
  }
}
