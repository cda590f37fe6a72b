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

export interface FencedLogOptions {
  /** How long an append is tried before its outcome counts as unknown; default 30,000. */
  readonly appendTimeoutMs?: number
  /** How long taking over, or renewing the fence, is tried; default 30,000. */
  readonly takeOverTimeoutMs?: number
}

export interface TakeOver {
  readonly epoch: number
  readonly producerId: bigint
  /** After the term's own marker: all that earlier owners appended lies before it. */
  readonly endOffset: number
  /** Kafka's id of the topic: another one than last time means another log under the same name. */
  readonly topicId: string
}

export interface Appended {
  readonly firstOffset: number
  readonly lastOffset: number
  /** Data of others that was found right before. It does not count. */
  readonly strays: readonly Stray[]
}

interface Owned {
  readonly kind: 'owned'
  readonly term: Term
  readonly topicId: string
  sequence: number
  /** Where the next batch lands, unless something stands between. */
  nextOffset: number
}

type State = { readonly kind: 'idle' | 'fenced' | 'open' | 'closed' | 'replaced' } | Owned

const sequenceMax = 2 ** 31 - 1

/** Sequence numbers of a producer run from 0 to 2^31 - 1 and then from 0 again, as the broker counts them. */
export const sequenceAfter = (sequence: number, records: number): number =>
  (sequence + records) % (sequenceMax + 1)

/** Appends of partitions far apart in number may share a connection; more lanes than this did not make them faster. */
const appendLanes = 8

const reasonsNotToAppend = {
  idle: 'take over first',
  fenced: 'another owner has taken over; this one must give up the partition',
  open: 'the outcome of the last append is not known; take over first',
  closed: 'it is closed',
  replaced: 'its topic was deleted and created again',
} as const

const outcomesNotToAppend = {
  idle: 'take-over',
  fenced: 'fenced',
  open: 'take-over',
  closed: 'refused',
  replaced: 'log-replaced',
} as const

/**
 * The one way to append to a partition: as its owner, behind a fence that the broker holds against every earlier owner.
 * {@link takeOver} first, then appends, one after the other. After a {@link LogError} `fenced` or `log-replaced` the log is dead for good;
 * after `unknown` or `take-over` it refuses appends until it has taken over again. The other outcomes leave it as it was.
 *
 * An append is acknowledged only where it landed at the end of the log as this owner knows it, or behind nothing but its own markers
 * and data of others that does not count: see TermRule. The broker's fence alone would not do, as it may have forgotten this owner.
 *
 * Appends are plain idempotent batches, not data transactions: nothing stands between events and nothing has to be
 * waited for by those who read.
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
   * Becomes the owner: a new epoch, its marker in the partition, and from then on the broker refuses every older owner.
   * @throws LogError `fenced` when yet another owner was faster; `unavailable` when late; `refused` when not allowed.
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
   * Appends the records as one batch: all of them, in this order, or none. A retriable error, a lost connection or a
   * silent broker is answered with the very same batch and sequence, which the broker takes once, until it answers or the
   * time is over. One append at a time.
   * @param records one or more; as many as the topic's `max.message.bytes` holds.
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
   * after 7 days and 1 day). May run beside appends and disturbs neither them nor their sequence.
   * @throws LogError `fenced`, `take-over`, `unavailable`.
   */
  async renew(): Promise<void> {
    const { term } = this.#ownedState()
    await this.#noteFence(() => writeMarker(this.#fenced, term, deadlineIn(this.#takeOverTimeoutMs)))
  }

  /** Gives up the partition without a word to the broker; the next owner's fence does the rest. */
  close(): void {
    this.#state = { kind: 'closed' }
  }

  /** Kafka's epochs begin anew after some 32,000 terms, under another producer id: see {@link servingEpochMax}. */
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
   * Whether a batch counts where it landed.
   * @returns data of others that stands right before it.
   * @throws LogError `unknown` where the term had ended, or that cannot be seen; `log-replaced`.
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
      throw this.#landedOddly(owned, firstOffset, error)
    }
    throw this.#landedOddly(owned, firstOffset)
  }

  #landedOddly({ nextOffset }: Owned, firstOffset: number, cause?: unknown): LogError {
    const found = cause instanceof Error ? cause.message : 'the log is shorter than it was: it lost records'
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
    return untilAnswered({ what, deadline, changes: true, tellsSending: true }, (sending) =>
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
