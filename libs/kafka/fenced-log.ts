import { deadlineIn } from '#async'
import { partitionKey } from '#domain'

import { untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'
import { awaitMarker, beginTerm, type FencedPartition, servingEpochMax, writeMarker } from './fence.ts'
import { inspectGap } from './gap.ts'
import { LogError } from './kafka-errors.ts'
import { highWatermark } from './offsets.ts'
import { encodeBatch, type LogRecord } from './record-batch.ts'
import { produce } from './requests.ts'
import { requestTimeoutMsDefault } from './settings.ts'
import type { Stray, Term } from './terms.ts'

interface FencedLogOptions {
  /** How long an append is retried before its outcome counts as unknown; default 30,000. */
  readonly appendTimeoutMs?: number
  /** How long a take-over or a renewal of the fence is retried; default 30,000. */
  readonly takeOverTimeoutMs?: number
}

export interface TakeOver {
  readonly epoch: number
  readonly producerId: bigint
  /** The offset after the term's own marker. All appends of earlier owners are before it. */
  readonly endOffset: number
  /** Kafka's id of the topic. A different id than last time means a different log under the same name. */
  readonly topicId: string
}

export interface Appended {
  readonly firstOffset: number
  readonly lastOffset: number
  /** Data of other producers found immediately before the batch. It does not count. */
  readonly strays: readonly Stray[]
}

interface Owned {
  readonly kind: 'owned'
  readonly term: Term
  readonly topicId: string
  sequence: number
  /** The offset where the next batch lands if no other producer has written. */
  nextOffset: number
}

type State = { readonly kind: 'idle' | 'fenced' | 'open' | 'closed' | 'replaced' } | Owned

const sequenceMax = 2 ** 31 - 1

/** The next sequence number of a producer. As at the broker, it wraps from 2^31 - 1 to 0. */
export const sequenceAfter = (sequence: number, records: number): number =>
  (sequence + records) % (sequenceMax + 1)

/** Partitions share append connections modulo this number. More lanes did not make appends faster. */
const appendLanes = 8

const reasonsNotToAppend = {
  idle: 'take over first',
  fenced: 'another owner has taken over; this one must give up the partition',
  open: 'the outcome of the last append is unknown; take over first',
  closed: 'the log is closed',
  replaced: 'the topic was deleted and created again',
} as const

const outcomesNotToAppend = {
  idle: 'take-over',
  fenced: 'fenced',
  open: 'take-over',
  closed: 'refused',
  replaced: 'log-replaced',
} as const

/**
 * The only way to append to a partition: as its owner, behind a fence that the broker enforces against every earlier owner.
 * Call {@link takeOver} first, then append one batch at a time. After a {@link LogError} `fenced` or `log-replaced` this object is
 * permanently unusable; after `unknown` or `take-over` it refuses appends until it has taken over again. Other outcomes do not change it.
 *
 * An append is acknowledged only if the batch landed at the expected end of the log, or after nothing but this owner's own markers
 * and data of other producers that does not count: see TermRule. The broker's fence is not enough, because the broker may have
 * forgotten this owner.
 *
 * Appends are plain idempotent batches, not data transactions. The log has no markers between events, and readers do not wait
 * for commits.
 */
export class FencedLog {
  readonly topic: string
  readonly partition: number
  readonly #cluster: KafkaCluster
  readonly #fenced: FencedPartition
  readonly #appendTimeoutMs: number
  readonly #takeOverTimeoutMs: number
  readonly #lane: string
  #state: State = { kind: 'idle' }
  #appending = false

  constructor(cluster: KafkaCluster, topic: string, partition: number, options: FencedLogOptions = {}) {
    this.topic = topic
    this.partition = partition
    this.#cluster = cluster
    this.#fenced = { cluster, topic, partition }
    this.#appendTimeoutMs = options.appendTimeoutMs ?? 30_000
    this.#takeOverTimeoutMs = options.takeOverTimeoutMs ?? 30_000
    this.#lane = `append-${partition % appendLanes}`
  }

  /**
   * Becomes the owner: begins a new epoch and writes its marker to the partition. The broker then refuses every earlier owner.
   * @throws LogError `fenced` when another owner took over meanwhile; `unavailable` when late; `refused` when not authorized.
   */
  async takeOver(): Promise<TakeOver> {
    this.#checkAlive()
    const deadline = deadlineIn(this.#takeOverTimeoutMs)
    this.#state = { kind: 'idle' }
    return this.#noteFence(async () => {
      const { topicId } = await this.#cluster.topic(this.topic)
      const { term, endOffset } = await this.#beginServingTerm(deadline)
      await this.#cluster.checkTopicId(this.topic, topicId, deadline)
      this.#checkAlive()
      this.#state = { kind: 'owned', term, topicId, sequence: 0, nextOffset: endOffset }
      return { ...term, endOffset, topicId }
    })
  }

  /**
   * Appends the records as one batch: all of them, in this order, or none. After a retriable error, a lost connection or
   * no answer, the same batch is sent again with the same sequence number until the broker answers or the time is up; the
   * broker stores it once. Only one append may run at a time.
   * @param records at least one; at most as many as the topic's `max.message.bytes` allows.
   * @throws LogError, see {@link FencedLog}.
   */
  async append(records: readonly LogRecord[], timeoutMs = this.#appendTimeoutMs): Promise<Appended> {
    if (records.length === 0) throw new RangeError('an append needs at least one record')
    if (this.#appending) throw new Error(`${this.#name} is already appending: one batch at a time`)
    const owned = this.#ownedState()
    const batch = encodeBatch(records, { ...owned.term, sequence: owned.sequence })
    const deadline = deadlineIn(timeoutMs)
    this.#appending = true
    try {
      return await this.#noteFence(async () => {
        const firstOffset = await this.#produce(batch, deadline)
        const strays = await this.#checkLanding(owned, firstOffset, deadline)
        owned.sequence = sequenceAfter(owned.sequence, records.length)
        owned.nextOffset = firstOffset + records.length
        return { firstOffset, lastOffset: owned.nextOffset - 1, strays }
      })
    } finally {
      this.#appending = false
    }
  }

  /**
   * Writes another marker of the same epoch, so that neither coordinator nor leader forgets an idle owner (by default
   * after 7 days and 1 day). May run concurrently with appends; it does not affect them or their sequence.
   * @throws LogError `fenced`, `take-over`, `unavailable`.
   */
  async renew(): Promise<void> {
    const { term } = this.#ownedState()
    await this.#noteFence(() => writeMarker(this.#fenced, term, deadlineIn(this.#takeOverTimeoutMs)))
  }

  /** Gives up the partition without a request to the broker. The next owner's fence takes effect on its own. */
  close(): void {
    this.#state = { kind: 'closed' }
  }

  /** Kafka's epochs restart after some 32,000 terms, under another producer id: see {@link servingEpochMax}. */
  async #beginServingTerm(deadline: number): Promise<{ term: Term; endOffset: number }> {
    const before = await highWatermark(this.#cluster, this.topic, this.partition, deadline)
    for (;;) {
      const term = await beginTerm(this.#fenced, deadline)
      await writeMarker(this.#fenced, term, deadline)
      const endOffset = await awaitMarker(this.#fenced, term, before, deadline)
      if (term.epoch <= servingEpochMax) return { term, endOffset }
    }
  }

  get #name(): string {
    return partitionKey(this)
  }

  #ownedState(): Owned {
    const state = this.#state
    if (state.kind === 'owned') return state
    const { kind } = state
    throw new LogError(
      outcomesNotToAppend[kind],
      `${this.#name} cannot be written: ${reasonsNotToAppend[kind]}`,
    )
  }

  #checkAlive(): void {
    const { kind } = this.#state
    if (kind === 'fenced' || kind === 'closed' || kind === 'replaced') this.#ownedState()
  }

  /**
   * Checks that a batch counts at the offset where it landed.
   * @returns data of other producers immediately before it.
   * @throws LogError `unknown` when the term had ended or the check failed; `log-replaced`.
   */
  async #checkLanding(owned: Owned, firstOffset: number, deadline: number): Promise<readonly Stray[]> {
    const { nextOffset, topicId, term } = owned
    if (firstOffset === nextOffset) return []
    try {
      if (firstOffset > nextOffset) {
        return await inspectGap(this.#fenced, term, { from: nextOffset, until: firstOffset }, deadline)
      }
      await this.#cluster.checkTopicId(this.topic, topicId, deadline)
    } catch (error) {
      if (error instanceof LogError && error.outcome === 'log-replaced') throw error
      throw this.#unexpectedLanding(owned, firstOffset, error)
    }
    throw this.#unexpectedLanding(owned, firstOffset)
  }

  #unexpectedLanding({ nextOffset }: Owned, firstOffset: number, cause?: unknown): LogError {
    const found = cause instanceof Error ? cause.message : 'the log has become shorter: it lost records'
    return new LogError(
      'unknown',
      `append to ${this.#name} landed at offset ${firstOffset}, expected ${nextOffset}: ${found}`,
      { mayBeAppended: true, cause },
    )
  }

  #produce(batch: Buffer, deadline: number): Promise<number> {
    const { topic, partition } = this
    const timeoutMs = this.#cluster.settings.requestTimeoutMs ?? requestTimeoutMsDefault
    const request = { topic, partition, batch, timeoutMs }
    const what = `append to ${this.#name}`
    return untilAnswered({ what, deadline, changes: true, reportsSending: true }, (sending) =>
      this.#cluster.onLeader(topic, partition, this.#lane, ({ connection }) => {
        sending()
        return produce(connection, request)
      }),
    )
  }

  async #noteFence<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (error) {
      if (error instanceof LogError) this.#note(error)
      throw error
    }
  }

  #note({ outcome }: LogError): void {
    if (this.#state.kind === 'closed') return
    if (outcome === 'fenced') this.#state = { kind: 'fenced' }
    if (outcome === 'log-replaced') this.#state = { kind: 'replaced' }
    if (outcome === 'unknown' || outcome === 'take-over') this.#state = { kind: 'open' }
  }
}
