import { Admission } from '#bounds'
import { formatPartition, type TopicPartition } from '#domain'
import { LogError, type LogReader, type StoredRecord } from '#kafka'

import { PieceCache, type DecodedPiece } from './piece-cache.ts'

/** The methods of a reader that shared reading uses. */
export type FeedReader = Pick<LogReader, 'fetch' | 'fetchAt' | 'startOffset' | 'endOffset'>

export interface SharedLogParts<Item> {
  readonly reader: Pick<FeedReader, 'fetch' | 'startOffset' | 'endOffset'>
  readonly decode: (source: TopicPartition, records: readonly StoredRecord[]) => Promise<readonly Item[]>
  /** Memory for kept pieces, over all partitions. */
  readonly keptBytesMax: number
  /** Connections: one for the head of each partition, and a pool for readers behind it. */
  readonly lanes: { readonly head: string; readonly behind: string; readonly behindMax: number }
  /** Concurrent fetches behind the head; default: no bound. */
  readonly behindAtOnceMax?: number
  /** Whether pieces behind the head are kept too, for readers that follow. */
  readonly keepsPast: boolean
  /** Whether an offset before the start of the log starts there. Otherwise it is an error. */
  readonly skipsDeleted: boolean
}

/** An offset beyond the end of a partition. */
export interface BeyondEnd {
  readonly partition: number
  readonly offset: number
  readonly end: number
}

/** Notified when the head of a partition has moved or can no longer be read. */
interface Watcher {
  readonly moved: () => void
  readonly failed: (error: unknown) => void
}

/** The longest time that the broker holds a request at the end of the log. */
const waitMsMax = 1_000
/** Requests on shared connections wait only briefly. */
const shortWaitMs = 100
const behindWaitMsMax = 60_000

/** Memory of a record besides its bytes, and the growth of its bytes when they are decoded. */
const recordOverheadBytes = 1_000
const decodedFactor = 3

/**
 * Decoded partitions for all readers in this process. Readers at the head of a partition share one connection, one
 * fetch and one decoding; the head moves at its own pace, so no reader waits for a slower one. Readers behind the head
 * use recently read pieces, or fetch on a bounded pool of connections. Kept pieces are bounded in bytes.
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

  /** Approximate memory of the kept pieces. */
  get keptBytes(): number {
    return this.#kept.bytes
  }

  /** The kept piece that covers an offset. */
  kept(source: TopicPartition, offset: number): DecodedPiece<Item> | undefined {
    return this.#kept.at(formatPartition(source), offset)
  }

  /** The offset of the head; undefined while it is not known. */
  headOffset(source: TopicPartition): number | undefined {
    return this.#heads.get(formatPartition(source))?.nextOffset
  }

  /** The first of these partitions whose log ends before its offset. The end is requested only if the head is not known to be further. */
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

  /** Reads a piece at an offset behind the head; it may be empty. Concurrent reads of one offset share a fetch. */
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

  /** The next piece for a reader that pulls. The reader furthest ahead moves the head; the others read behind it. */
  next(source: TopicPartition, offset: number): Promise<DecodedPiece<Item>> {
    const head = this.#head(source)
    if (head.fetching === undefined && offset > (head.nextOffset ?? -1)) head.nextOffset = offset
    return offset === head.nextOffset ? this.#advance(head, source, offset) : this.behind(source, offset)
  }

  /** Keeps the head of a partition moving while it has watchers. @returns a function that ends the watch */
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
      // The log may grow unobserved from here on, so the position of the head is no longer known.
      delete head.nextOffset
    }
  }

  /** All readers at the head wait for one fetch. */
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
      // The log may have been replaced.
      this.#kept.forget(formatPartition(source))
      if (error.outcome !== 'not-there') throw error
      return this.#fromStart(source, offset, error)
    }
  }

  /** Moves an offset that was deleted to the start of the log. @throws the error if the offset is beyond the end, or deleted offsets are not skipped */
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
