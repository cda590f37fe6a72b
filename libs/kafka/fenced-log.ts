import { deadlineIn, untilAnswered } from './attempts.ts'
import type { KafkaCluster } from './cluster.ts'
import {
  awaitMarker,
  beginTerm,
  type FencedPartition,
  servingEpochMax,
  type Term,
  writeMarker,
} from './fence.ts'
import { LogError } from './kafka-errors.ts'
import { highWatermark } from './offsets.ts'
import { encodeBatch, type LogRecord } from './record-batch.ts'
import { produce } from './requests.ts'
import { requestTimeoutMsDefault } from './settings.ts'

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
}

type State =
  | { readonly kind: 'idle' | 'fenced' | 'open' | 'closed' }
  | { readonly kind: 'owned'; readonly term: Term; sequence: number }

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
} as const

/**
 * The one way to append to a partition: as its owner, behind a fence that the broker holds against every earlier owner.
 * {@link takeOver} first, then appends, one after the other. After a {@link LogError} `fenced` the log is dead for good;
 * after `unknown` or `take-over` it refuses appends until it has taken over anew. The other outcomes leave it as it was.
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
      const { term, endOffset } = await this.#beginServingTerm(deadline)
      this.#checkAlive()
      this.#state = { kind: 'owned', term, sequence: 0 }
      const { topicId } = await this.#cluster.topic(this.topic)
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
    this.#appending = true
    try {
      const firstOffset = await this.#noteFence(() => this.#produce(batch, deadlineIn(timeoutMs)))
      owned.sequence = sequenceAfter(owned.sequence, records.length)
      return { firstOffset, lastOffset: firstOffset + records.length - 1 }
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
    return `${this.topic}/${this.partition}`
  }

  #ownedState(): State & { kind: 'owned' } {
    const state = this.#state
    if (state.kind === 'owned') return state
    const outcome = state.kind === 'fenced' ? 'fenced' : state.kind === 'closed' ? 'refused' : 'take-over'
    throw new LogError(outcome, `${this.#name} cannot be written: ${reasonsNotToAppend[state.kind]}`)
  }

  #checkAlive(): void {
    const { kind } = this.#state
    if (kind === 'fenced' || kind === 'closed') this.#ownedState()
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
    if (outcome === 'unknown' || outcome === 'take-over') this.#state = { kind: 'open' }
  }
}
