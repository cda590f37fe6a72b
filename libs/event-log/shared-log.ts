import { Admission } from '#bounds'
import { formatPartition, type TopicPartition } from '#domain'
import { LogError, type LogReader, type StoredRecord } from '#kafka'

import { PieceCache, type DecodedPiece } from './piece-cache.ts'

/** What shared reading needs of a reader. */
export type FeedReader = Pick<LogReader, 'fetch' | 'fetchAt' | 'startOffset' | 'endOffset'>

export interface SharedLogParts<Item> {
  readonly reader: Pick<FeedReader, 'fetch' | 'startOffset' | 'endOffset'>
  readonly decode: (source: TopicPartition, records: readonly StoredRecord[]) => Promise<readonly Item[]>
  /** Memory for pieces that are kept, over all partitions. */
  readonly keptBytesMax: number
  /** Connections: one for the head of each partition, and a pool for those behind. */
  readonly lanes: { readonly head: string; readonly behind: string; readonly behindMax: number }
  /** Fetches at a time for those behind; default: no bound. */
  readonly behindAtOnceMax?: number
  /** Whether pieces behind the head are kept too, for others who come the same way. */
  readonly keepsPast: boolean
  /** Whether an offset before the log's start begins there; else it is an error. */
  readonly skipsDeleted: boolean
}

/** An offset that is not in the log. */
export interface BeyondEnd {
  readonly partition: number
  readonly offset: number
  readonly end: number
}

/** Told when the head of a partition has moved, or cannot be read any more. */
interface Watcher {
  readonly moved: () => void
  readonly failed: (error: unknown) => void
}

/** How long the broker may hold a request at the end of the log. */
const waitMsMax = 1_000
/** On a connection shared with others nobody waits long. */
const shortWaitMs = 100
const behindWaitMsMax = 60_000

/** What a record takes beside its bytes, and how much more its bytes take once they are decoded. */
const recordOverheadBytes = 1_000
const decodedFactor = 3

/**
 * Decoded partitions for all who follow them in this process. At the head of a partition all share one connection, one
 * fetch and one decoding; the head moves at its own pace, and nobody waits for a slower one. Those who are behind find what
 * others have read lately; else they fetch it on a bounded pool of connections. What is kept is bounded by its bytes.
 */
export class SharedLog<Item> {
  readonly #parts: SharedLogParts<Item>
  readonly #kept: PieceCache<Item>
  readonly #heads = new Map<string, Head<Item>>()
  readonly #behind = new Map<string, Promise<DecodedPiece<Item>>>()
  readonly #fetches: Admission | undefined

  constructor(parts: SharedLogParts<Item>) {
    this.#parts = parts
    this.#kept = new PieceCache(parts.keptBytesMax)
    const { behindAtOnceMax: atOnceMax } = parts
    const bounds = { what: 'reads for subscribers', waitingMax: Infinity, waitMsMax: behindWaitMsMax }
    this.#fetches = atOnceMax === undefined ? undefined : new Admission({ ...bounds, atOnceMax })
  }

  /** What is kept takes so much memory, about. */
  get keptBytes(): number {
    return this.#kept.bytes
  }

  /** The piece that holds an offset, where it is kept. */
  kept(source: TopicPartition, offset: number): DecodedPiece<Item> | undefined {
    return this.#kept.at(formatPartition(source), offset)
  }

  /** Where the head stands; undefined while it is not known. */
  headOffset(source: TopicPartition): number | undefined {
    return this.#heads.get(formatPartition(source))?.nextOffset
  }

  /** The first of these partitions whose log ends before its offset. Its end is asked for only where the head is not known to be further. */
  async beyondEnd(
    topic: string,
    partitions: readonly number[],
    offsets: readonly number[],
  ): Promise<BeyondEnd | undefined> {
    const places = partitions.map(async (partition) => {
      const offset = offsets[partition] ?? 0
      const isWithin = offset <= (this.headOffset({ topic, partition }) ?? 0)
      const end = isWithin ? offset : await this.#parts.reader.endOffset(topic, partition)
      return { partition, offset, end }
    })
    return (await Promise.all(places)).find(({ offset, end }) => offset > end)
  }

  /** What stands at an offset that is not at the head, and behind it; it may be nothing. All who ask for the same share it. */
  behind(source: TopicPartition, offset: number): Promise<DecodedPiece<Item>> {
    const { lanes, keepsPast } = this.#parts
    const key = `${formatPartition(source)}@${offset}`
    const known = this.#behind.get(key)
    if (known !== undefined) return known
    const lane = `${lanes.behind}-${source.partition % lanes.behindMax}`
    const fetch = () => this.#fetch(source, offset, lane, shortWaitMs)
    const fetching = (this.#fetches?.run(fetch) ?? fetch())
      .then((piece) => {
        if (keepsPast) this.#kept.add(formatPartition(source), piece)
        return piece
      })
      .finally(() => this.#behind.delete(key))
    this.#behind.set(key, fetching)
    return fetching
  }

  /** The next piece of one who pulls. The head is where the one furthest ahead reads; those behind catch up by themselves. */
  next(source: TopicPartition, offset: number): Promise<DecodedPiece<Item>> {
    const head = this.#head(source)
    if (head.fetching === undefined && offset > (head.nextOffset ?? -1)) head.nextOffset = offset
    return offset === head.nextOffset ? this.#advance(head, source, offset) : this.behind(source, offset)
  }

  /** Keeps the head of a partition moving for as long as there are watchers. @returns how to end it */
  watch(source: TopicPartition, watcher: Watcher): () => void {
    const head = this.#head(source)
    head.watchers.add(watcher)
    if (!head.isWatched) void this.#keepMoving(head, source)
    return () => head.watchers.delete(watcher)
  }

  #head(source: TopicPartition): Head<Item> {
    const key = formatPartition(source)
    const known = this.#heads.get(key)
    if (known !== undefined) return known
    const head: Head<Item> = { watchers: new Set(), isWatched: false }
    this.#heads.set(key, head)
    return head
  }

  async #keepMoving(head: Head<Item>, source: TopicPartition): Promise<void> {
    head.isWatched = true
    try {
      let offset = await this.#parts.reader.endOffset(source.topic, source.partition)
      head.nextOffset = offset
      while (head.watchers.size > 0) {
        const { nextOffset } = await this.#advance(head, source, offset)
        if (nextOffset === offset) continue
        offset = nextOffset
        for (const { moved } of head.watchers) moved()
      }
    } catch (error) {
      for (const { failed } of head.watchers) failed(error)
      head.watchers.clear()
    } finally {
      head.isWatched = false
      // The log goes on without anybody looking: where its end is will have to be asked again.
      delete head.nextOffset
    }
  }

  /** All who wait at the head wait for the same fetch. */
  #advance(head: Head<Item>, source: TopicPartition, offset: number): Promise<DecodedPiece<Item>> {
    const key = formatPartition(source)
    head.fetching ??= this.#fetch(source, offset, `${this.#parts.lanes.head}-${key}`, waitMsMax)
      .then((piece) => {
        this.#kept.add(key, piece)
        head.nextOffset = piece.nextOffset
        return piece
      })
      .finally(() => delete head.fetching)
    return head.fetching
  }

  async #fetch(
    source: TopicPartition,
    offset: number,
    lane: string,
    waitMs: number,
  ): Promise<DecodedPiece<Item>> {
    const { reader, decode } = this.#parts
    const { topic, partition } = source
    try {
      const fetched = await reader.fetch(topic, partition, offset, { lane, waitMsMax: waitMs })
      const { records, nextOffset, highWatermark } = fetched
      const items = await decode(source, records)
      return { items, from: offset, nextOffset, highWatermark, bytes: bytesOf(records) }
    } catch (error) {
      if (!(error instanceof LogError) || error.outcome === 'unavailable') throw error
      // The log may be another one by now.
      this.#kept.forget(formatPartition(source))
      if (error.outcome !== 'not-there') throw error
      return this.#fromStart(source, offset, error)
    }
  }

  /** An offset that is not in the log any more begins at its start. @throws the error where it is behind the end, or that is not wanted. */
  async #fromStart(source: TopicPartition, offset: number, error: LogError): Promise<DecodedPiece<Item>> {
    const { reader, skipsDeleted } = this.#parts
    if (!skipsDeleted) throw error
    const start = await reader.startOffset(source.topic, source.partition)
    if (offset >= start) throw error
    const highWatermark = await reader.endOffset(source.topic, source.partition)
    return { items: [], from: offset, nextOffset: start, highWatermark, bytes: 0 }
  }
}

/** The head of one partition. */
interface Head<Item> {
  readonly watchers: Set<Watcher>
  isWatched: boolean
  nextOffset?: number
  fetching?: Promise<DecodedPiece<Item>>
}

const bytesOf = (records: readonly StoredRecord[]): number =>
  records.reduce((sum, record) => sum + recordOverheadBytes + decodedFactor * encodedBytes(record), 0)

const encodedBytes = ({ key, value, headers }: StoredRecord): number =>
  headers.reduce((sum, [, bytes]) => sum + bytes.length, key.length + (value?.length ?? 0))
