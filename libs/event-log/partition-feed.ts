import type { Position } from '#domain'
import { LogError, type LogReader, unlessAborted } from '#kafka'
import { type EventFeed, type FedChunk, type FedEvent, sourceKey, type SourcePartition } from '#projections'

import type { EventFormat } from './event-format.ts'
import { RecentChunks } from './recent-chunks.ts'

/** How long the broker may hold a request at the end of the log. */
const waitMsMax = 1_000
/** On a connection shared with others nobody waits long. */
const shortWaitMs = 100
const readLanes = 8

/** What a feed needs of a reader. */
export type FeedReader = Pick<LogReader, 'fetch' | 'fetchAt' | 'startOffset' | 'endOffset'>

/**
 * Decoded events for all who follow partitions in this process. Who reads at the head of a partition shares one
 * connection, one fetch and one decoding with all the others there; who is far behind reads by itself until it gets
 * there. Nobody waits for a slower one: the head moves when the fastest asks, and keeps a bounded number of events for the rest.
 */
export class PartitionFeed implements EventFeed {
  readonly #reader: FeedReader
  readonly #format: Pick<EventFormat, 'decodeEach'>
  readonly #heads = new Map<string, Head>()

  constructor(reader: FeedReader, format: Pick<EventFormat, 'decodeEach'>) {
    this.#reader = reader
    this.#format = format
  }

  async *follow(source: SourcePartition, from: number, signal: AbortSignal): AsyncGenerator<FedChunk> {
    const head = this.#head(source)
    let offset = from
    let told: FedChunk | undefined
    while (!signal.aborted) {
      const chunk = await unlessAborted(signal, this.#next(head, source, offset))
      if (chunk === undefined) return
      const moved = chunk.nextOffset !== offset || chunk.highWatermark !== told?.highWatermark
      told = chunk
      offset = chunk.nextOffset
      if (moved) yield chunk
    }
  }

  startOffset({ topic, partition }: SourcePartition): Promise<number> {
    return this.#reader.startOffset(topic, partition)
  }

  endOffset({ topic, partition }: SourcePartition): Promise<number> {
    return this.#reader.endOffset(topic, partition)
  }

  async eventAt({ topic, partition, offset }: Position): Promise<FedEvent> {
    const records = await this.#reader.fetchAt(topic, partition, [offset])
    const [event] = await this.#format.decodeEach(topic, partition, records)
    if (event === undefined)
      throw new LogError('not-there', `there is no event at ${topic}:${partition}:${offset}`)
    return event
  }

  #head(source: SourcePartition): Head {
    const key = sourceKey(source)
    const known = this.#heads.get(key)
    if (known !== undefined) return known
    const head: Head = { recent: new RecentChunks(), lane: `feed-${key}` }
    this.#heads.set(key, head)
    return head
  }

  async #next(head: Head, source: SourcePartition, offset: number): Promise<FedChunk> {
    const kept = head.recent.from(offset)
    if (kept !== undefined) return kept
    // The head is where the one furthest ahead reads; those behind catch up with it by themselves.
    if (offset > head.recent.nextOffset && head.fetching === undefined) head.recent.startAt(offset)
    if (offset === head.recent.nextOffset) return this.#advance(head, source)
    return this.#fetch(source, offset, `read-${source.partition % readLanes}`, shortWaitMs)
  }

  /** All who wait at the head wait for the same fetch. */
  #advance(head: Head, source: SourcePartition): Promise<FedChunk> {
    head.fetching ??= this.#fetch(source, head.recent.nextOffset, head.lane, waitMsMax)
      .then((chunk) => {
        head.recent.add(chunk)
        return chunk
      })
      .finally(() => delete head.fetching)
    return head.fetching
  }

  async #fetch(source: SourcePartition, offset: number, lane: string, waitMs: number): Promise<FedChunk> {
    const { topic, partition } = source
    try {
      const fetched = await this.#reader.fetch(topic, partition, offset, { lane, waitMsMax: waitMs })
      const events = await this.#format.decodeEach(topic, partition, fetched.records)
      return { events, nextOffset: fetched.nextOffset, highWatermark: fetched.highWatermark }
    } catch (error) {
      if (!(error instanceof LogError) || error.outcome !== 'not-there') throw error
      const start = await this.startOffset(source)
      if (offset >= start) throw error
      return { events: [], nextOffset: start, highWatermark: await this.endOffset(source) }
    }
  }
}

/** The head of one partition. */
interface Head {
  readonly recent: RecentChunks
  readonly lane: string
  fetching?: Promise<FedChunk>
}
