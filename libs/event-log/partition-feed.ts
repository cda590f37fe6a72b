import { unlessAborted } from '#async'
import { formatPosition, type Position, type TopicPartition } from '#domain'
import type { EventFeed, FedChunk, FedEvent } from '#event-log/records'
import { LogError } from '#kafka'

import type { EventFormat } from './event-format.ts'
import type { DecodedPiece } from './piece-cache.ts'
import { type FeedReader, SharedLog } from './shared-log.ts'

/** A follower that is behind gets several pieces in one step, up to this number of events. */
const eventsAtOnceMax = 2_000

/**
 * Decoded events for all projections of this process. Followers at the head of a partition share one connection, one
 * fetch and one decoding; a follower far behind reads separately until it reaches the head. No follower waits for a
 * slower one: the head moves when the fastest asks, and a bounded number of bytes is kept for the others.
 */
export class PartitionFeed implements EventFeed {
  readonly #reader: FeedReader
  readonly #format: Pick<EventFormat, 'decodeEach'>
  readonly #log: SharedLog<FedEvent>

  /** @param keptBytesMax memory for events that followers just behind the head share, over all partitions */
  constructor(reader: FeedReader, format: Pick<EventFormat, 'decodeEach'>, keptBytesMax = 64 << 20) {
    this.#reader = reader
    this.#format = format
    this.#log = new SharedLog({
      reader,
      decode: ({ topic, partition }, records) => format.decodeEach(topic, partition, records),
      keptBytesMax,
      lanes: { head: 'feed', behind: 'read', behindMax: 8 },
      keepsPast: false,
      skipsDeleted: true,
    })
  }

  async *follow(source: TopicPartition, from: number, signal: AbortSignal): AsyncGenerator<FedChunk> {
    let offset = from
    let last: FedChunk | undefined
    while (!signal.aborted) {
      const chunk =
        this.#keptFrom(source, offset) ?? (await unlessAborted(signal, this.#next(source, offset)))
      if (chunk === undefined) return
      const moved = chunk.nextOffset !== offset || chunk.highWatermark !== last?.highWatermark
      last = chunk
      offset = chunk.nextOffset
      if (moved) yield chunk
    }
  }

  startOffset({ topic, partition }: TopicPartition): Promise<number> {
    return this.#reader.startOffset(topic, partition)
  }

  endOffset({ topic, partition }: TopicPartition): Promise<number> {
    return this.#reader.endOffset(topic, partition)
  }

  async eventAt(position: Position): Promise<FedEvent> {
    const { topic, partition, offset } = position
    const records = await this.#reader.fetchAt(topic, partition, [offset])
    const [event] = await this.#format.decodeEach(topic, partition, records)
    if (event === undefined)
      throw new LogError('not-there', `there is no event at ${formatPosition(position)}`)
    return event
  }

  /** All kept events from an offset on, up to a bound, as one chunk. */
  #keptFrom(source: TopicPartition, offset: number): FedChunk | undefined {
    const pieces: DecodedPiece<FedEvent>[] = []
    let events = 0
    let next = offset
    while (events < eventsAtOnceMax) {
      const piece = this.#log.kept(source, next)
      if (piece === undefined) break
      pieces.push(piece)
      events += piece.items.length
      next = piece.nextOffset
    }
    const last = pieces.at(-1)
    if (last === undefined) return undefined
    const all = pieces.flatMap(({ items }) => items)
    const first = all.findIndex(({ position }) => position.offset >= offset)
    return { ...endOf(last), events: first < 0 ? [] : first === 0 ? all : all.slice(first) }
  }

  async #next(source: TopicPartition, offset: number): Promise<FedChunk> {
    const piece = await this.#log.next(source, offset)
    return { ...endOf(piece), events: piece.items }
  }
}

const endOf = ({ nextOffset, highWatermark }: DecodedPiece<FedEvent>) => ({ nextOffset, highWatermark })
