import { LRUCache } from 'lru-cache'

import { deadlineIn, pause, unlessAborted } from '#async'
import { isEventTopic, partitionKey } from '#domain'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'
import { LogError } from './kafka-errors.ts'
import { firstOffsetSince, highWatermark, logStart } from './offsets.ts'
import type { StoredBatch, StoredRecord } from './record-batch.ts'
import { type Fetched, fetchBatches } from './requests.ts'
import { ScatteredReader } from './scattered-reader.ts'
import { termBefore } from './term-before.ts'
import { type Stray, type Term, TermRule, type TermStart, type Unmarked } from './terms.ts'
import { UnmarkedData, type UnmarkedFindings } from './unmarked-data.ts'

interface LogReaderOptions {
  /** How long one read step is retried; default 30,000. */
  readonly timeoutMs?: number
  /** The size limit of one fetch; default 1 MiB. A single larger batch is still returned whole. */
  readonly fetchBytesMax?: number
  /** Memory for records read at single offsets; default 32 MiB. */
  readonly cacheBytesMax?: number
  /** Looks up terms without reading the log. */
  readonly knownTerms?: KnownTerms
}

/**
 * The term in force at an offset of the topic with this id; undefined if unknown. A failure counts as unknown.
 */
type KnownTerms = (
  topic: string,
  partition: number,
  topicId: string,
  offset: number,
) => Promise<Term | undefined>

export interface OffsetRange {
  readonly from: number
  /** Exclusive; default the end of the log when reading starts. */
  readonly until?: number
}

/** A contiguous part of the log. */
export interface LogPiece {
  /** The records that count. */
  readonly records: readonly StoredRecord[]
  /** Data that does not count: see TermRule. */
  readonly strays: readonly Stray[]
  /** Markers in it that began another term. */
  readonly starts: readonly TermStart[]
}

/** One step of following a partition. It has no records if only the end of the log has moved. */
export interface Followed {
  readonly records: readonly StoredRecord[]
  /** Data that does not count: see TermRule. */
  readonly strays: readonly Stray[]
  /** The offset to resume at: after the last record, or after markers behind it. */
  readonly nextOffset: number
  /** The reader has caught up when `nextOffset` equals the high watermark. */
  readonly highWatermark: number
}

const readLanes = 8
const followWaitMs = 1_000
/** Short, because other reads on the same connection wait for this one. */
const catchUpWaitMs = 100

function recordsOf(batches: readonly StoredBatch[], from: number, until: number): StoredRecord[] {
  const all = batches.map((batch) => batch.records(from, until))
  return all.length === 1 ? (all[0] as StoredRecord[]) : all.flat()
}

/** How many positions have their term cached, for readers that resume. */
const positionsMax = 10_000

/** @param rule undefined if every record counts. */
function pieceOf(
  rule: TermRule | undefined,
  batches: readonly StoredBatch[],
  from: number,
  until: number,
  unmarked?: Unmarked,
): LogPiece {
  if (rule === undefined) return { records: recordsOf(batches, from, until), strays: [], starts: [] }
  const sifted = rule.sift(
    batches.filter(({ baseOffset }) => baseOffset < until),
    unmarked,
  )
  return { ...sifted, records: recordsOf(sifted.batches, from, until) }
}

/** How long a reader at the end of the log waits for the first marker behind unmarked data. */
const openWaitMs = 100

/**
 * Whether only the log's first marker can decide if data at its start counts. That data may be a copy, or may have been sent to a
 * deleted topic of the same name.
 */
const isOpen = (found: UnmarkedFindings | undefined): boolean =>
  found !== undefined && found.mayGetMarker && !found.isHeadless && found.beginsStreams

const positionKey = (topicId: string, partition: number, offset: number): string =>
  `${topicId}/${partition}/${offset}`

const offsetAfter = (batches: readonly StoredBatch[], offset: number): number =>
  Math.max(offset, (batches.at(-1)?.lastOffset ?? -1) + 1)

/**
 * Reads partitions by offset, outside of any consumer group. It never reads past the high watermark, so records it returns
 * cannot disappear. Markers are skipped, so offsets are not contiguous. From event topics it returns only records that count:
 * see TermRule. Transient failures are retried.
 * All methods reject with LogError: `unavailable` when late, `not-there` when an offset is outside the log, `log-replaced`.
 */
export class LogReader {
  readonly #cluster: KafkaCluster
  readonly #timeoutMs: number
  readonly #fetchBytesMax: number
  readonly #scattered: ScatteredReader
  readonly #knownTerms: KnownTerms | undefined
  readonly #unmarkedData = new UnmarkedData()
  readonly #terms = new LRUCache<string, { readonly term: Term | undefined }>({ max: positionsMax })
  #follows = 0

  constructor(cluster: KafkaCluster, options: LogReaderOptions = {}) {
    this.#cluster = cluster
    this.#timeoutMs = options.timeoutMs ?? 30_000
    this.#fetchBytesMax = options.fetchBytesMax ?? 1 << 20
    this.#scattered = new ScatteredReader(cluster, options.cacheBytesMax ?? 32 << 20)
    this.#knownTerms = options.knownTerms
  }

  /** The offset after the last record that all in-sync replicas have. */
  endOffset(topic: string, partition: number): Promise<number> {
    return highWatermark(this.#cluster, topic, partition, deadlineIn(this.#timeoutMs))
  }

  /** The offset of the first record that has not been deleted. */
  startOffset(topic: string, partition: number): Promise<number> {
    return logStart(this.#cluster, topic, partition, deadlineIn(this.#timeoutMs))
  }

  /**
   * The offset to start at for records from a time on. All records before it are before the time; it is the end of the log
   * if all records are. Records after it may also be before the time: markers carry the current time, imported events the
   * original one. @param timestampMs since 1970
   */
  async offsetForTime(topic: string, partition: number, timestampMs: number): Promise<number> {
    const deadline = deadlineIn(this.#timeoutMs)
    const offset = await firstOffsetSince(this.#cluster, topic, partition, timestampMs, deadline)
    return offset ?? this.endOffset(topic, partition)
  }

  /** All records of a range, in order, some hundreds at a time. The next fetch runs while these are used. */
  async *read(
    topic: string,
    partition: number,
    range: OffsetRange,
  ): AsyncGenerator<readonly StoredRecord[], void, void> {
    for await (const { records } of this.readPieces(topic, partition, range))
      if (records.length > 0) yield records
  }

  /** Like {@link read}, with stray data and the starts of terms. */
  async *readPieces(
    topic: string,
    partition: number,
    range: OffsetRange,
  ): AsyncGenerator<LogPiece, void, void> {
    const until = range.until ?? (await this.endOffset(topic, partition))
    if (range.from >= until) return
    const rule = await this.#ruleAt(topic, partition, range.from)
    const lane = `read-${partition % readLanes}`
    const fetch = (offset: number): Promise<Fetched> => {
      const fetched = this.#fetch(topic, partition, lane, offset, catchUpWaitMs)
      // It is awaited later; a failure before that must not count as an unhandled rejection.
      fetched.catch(() => undefined)
      return fetched
    }
    let offset = range.from
    let deadline = deadlineIn(this.#timeoutMs)
    let fetching = offset < until ? fetch(offset) : undefined
    while (fetching !== undefined) {
      const { batches } = await fetching
      const next = offsetAfter(batches, offset)
      if (next > offset) deadline = deadlineIn(this.#timeoutMs)
      else this.#checkProgress(topic, partition, offset, until, deadline)
      fetching = next < until ? fetch(next) : undefined
      offset = next
      const unmarked = await this.#unmarked(topic, partition, rule, batches)
      const piece = pieceOf(rule, batches, range.from, until, unmarked)
      if (piece.records.length + piece.strays.length + piece.starts.length > 0) yield piece
    }
  }

  /**
   * The records at these offsets, in the order of the offsets. Scattered ones are fetched concurrently, and cached.
   * @throws LogError `not-there` when an offset holds no record.
   */
  fetchAt(topic: string, partition: number, offsets: readonly number[]): Promise<StoredRecord[]> {
    return this.#scattered.read(topic, partition, offsets, deadlineIn(this.#timeoutMs))
  }

  /**
   * Fetches records from an offset on; returns none if none arrive within `waitMsMax`.
   * @param lane names the connection. A long wait blocks other requests on the same one.
   * @throws LogError `not-there` when the offset is before the start of the log or after its end.
   */
  async fetch(
    topic: string,
    partition: number,
    offset: number,
    { lane, waitMsMax }: { readonly lane: string; readonly waitMsMax: number },
  ): Promise<Followed> {
    const rule = await this.#ruleAt(topic, partition, offset)
    const { batches, highWatermark } = await this.#fetch(topic, partition, lane, offset, waitMsMax)
    const unmarked = await this.#unmarked(topic, partition, rule, batches)
    if (isOpen(unmarked)) {
      // Whether this data counts is unknown until the log's first marker.
      await pause(openWaitMs)
      return { records: [], strays: [], nextOffset: offset, highWatermark }
    }
    const nextOffset = offsetAfter(batches, offset)
    const { records, strays } = pieceOf(rule, batches, offset, Infinity, unmarked)
    if (rule !== undefined) await this.#rememberTerm(topic, partition, nextOffset, rule.term)
    return { records, strays, nextOffset, highWatermark }
  }

  /** The term in force at an offset of an event topic, from the last marker before it; undefined if there is none. */
  async termBefore(topic: string, partition: number, offset: number): Promise<Term | undefined> {
    if (offset <= 0) return undefined
    const { topicId } = await this.#topic(topic)
    const known = await this.#knownTerms?.(topic, partition, topicId, offset).catch(() => undefined)
    return known ?? termBefore(this.#headers(topic, partition), offset)
  }

  /** The term in force at the end of the log, read from the log itself. */
  async lastTerm(topic: string, partition: number): Promise<Term | undefined> {
    return termBefore(this.#headers(topic, partition), await this.endOffset(topic, partition))
  }

  async #ruleAt(topic: string, partition: number, offset: number): Promise<TermRule | undefined> {
    if (!isEventTopic(topic)) return undefined
    const { topicId } = await this.#topic(topic)
    const remembered = this.#terms.get(positionKey(topicId, partition, offset))
    return new TermRule(remembered ? remembered.term : await this.termBefore(topic, partition, offset))
  }

  /** For data before any marker: the facts that decide whether it counts. */
  async #unmarked(
    topic: string,
    partition: number,
    rule: TermRule | undefined,
    batches: readonly StoredBatch[],
  ): Promise<UnmarkedFindings | undefined> {
    if (rule === undefined || rule.term !== undefined || batches[0]?.isControl !== false) return undefined
    const { topicId } = await this.#topic(topic)
    const lane = `read-${partition % readLanes}`
    return this.#unmarkedData.of(`${topicId}/${partition}`, {
      startOffset: () => this.startOffset(topic, partition),
      pieceAt: (offset) => this.#fetch(topic, partition, lane, offset, catchUpWaitMs),
    })
  }

  async #rememberTerm(
    topic: string,
    partition: number,
    offset: number,
    term: Term | undefined,
  ): Promise<void> {
    const { topicId } = await this.#topic(topic)
    this.#terms.set(positionKey(topicId, partition, offset), { term })
  }

  #topic(topic: string) {
    const what = `asking for topic ${topic}`
    const attempts = { what, deadline: deadlineIn(this.#timeoutMs), changes: false }
    return untilAnswered(attempts, () => this.#cluster.topic(topic))
  }

  #headers(topic: string, partition: number) {
    const lane = `read-${partition % readLanes}`
    return {
      startOffset: () => this.startOffset(topic, partition),
      batchesFrom: async (offset: number) =>
        (await this.#fetch(topic, partition, lane, offset, catchUpWaitMs)).batches,
    }
  }

  /**
   * All records from an offset on, then new ones as they arrive, until the signal aborts. Yields once at the start even
   * without records, then whenever an offset has moved. Uses its own connection while it runs.
   */
  async *follow(
    topic: string,
    partition: number,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<Followed, void, void> {
    const lane = `follow-${this.#follows++}`
    let last: Followed | undefined
    let fetching: Promise<unknown> = Promise.resolve()
    try {
      while (!signal.aborted) {
        const offset: number = last?.nextOffset ?? from
        const waitMs = last === undefined ? 0 : followWaitMs
        const fetch = this.fetch(topic, partition, offset, { lane, waitMsMax: waitMs })
        fetching = fetch
        const followed = await unlessAborted(signal, fetch)
        if (followed === undefined) return
        const moved =
          last?.nextOffset !== followed.nextOffset || last.highWatermark !== followed.highWatermark
        last = followed
        if (moved) yield followed
      }
    } finally {
      // Only when nothing is in flight: a fetch that lost its connection would reopen the lane.
      void fetching.catch(() => undefined).then(() => this.#cluster.closeLane(lane))
    }
  }

  #fetch(
    topic: string,
    partition: number,
    lane: string,
    offset: number,
    waitMsMax: number,
  ): Promise<Fetched> {
    const what = `reading ${partitionKey({ topic, partition })} from offset ${offset}`
    const bytesMax = this.#fetchBytesMax
    return untilAnswered({ what, deadline: deadlineIn(this.#timeoutMs), changes: false }, () =>
      this.#cluster.onLeader(topic, partition, lane, ({ connection, topicId }) =>
        fetchBatches(connection, { topicId, partition, offset, bytesMax, waitMsMax }),
      ),
    )
  }

  #checkProgress(topic: string, partition: number, offset: number, until: number, deadline: number): void {
    if (performance.now() < deadline) return
    const what = `reading ${partitionKey({ topic, partition })} up to offset ${until}`
    throw new LogError('unavailable', `${what} is stuck at ${offset}: the end of the log has not moved`)
  }
}
