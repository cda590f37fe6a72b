import type { Logger } from 'pino'

import { pause, Signal } from '#async'
import { type AppendResult, partitionKey, type StreamId } from '#domain'
import type { WaitingPartition } from '#event-log'
import type { EventStoreError } from '#event-store'
import type { FencedLog, KafkaCluster, Stray } from '#kafka'
import {
  type OwnedPartition,
  Renewal,
  type TermContext,
  TermLoop,
  type TermWork,
  unavailable,
} from '#ownership'
import { type Guard, IndexUnavailableError, type PartitionIndex } from '#redis-index'

import { type OwnerMemory, TermMemory } from '../memory/term-memory.ts'
import { AppendQueue, type BatchLimits } from './append-queue.ts'
import { CommitsInFlight } from './commits-in-flight.ts'
import type { IndexCatchUp } from './index-catch-up.ts'
import { notOwner, outcomeUnknown } from './partition-errors.ts'
import type { PendingAppend } from './pending-append.ts'
import { leaseWaitMs, ReadLease } from './read-lease.ts'
import { type CheckedBatch, Round } from './round.ts'
import type { WriterMetrics } from '../writer-metrics.ts'

export interface PartitionSettings extends BatchLimits {
  /** Events that may wait in the queue. */
  readonly queueEventsMax: number
  readonly fenceRenewalMs: number
}

export interface PartitionParts {
  readonly topic: string
  readonly partition: number
  readonly cluster: Pick<KafkaCluster, 'checkHeld'>
  /** Opens a fenced log. A log ends with its term, so each term opens one. */
  readonly openLog: () => FencedLog
  readonly index: PartitionIndex
  readonly catchUp: IndexCatchUp
  readonly memory: OwnerMemory
  readonly settings: PartitionSettings
  readonly metrics: WriterMetrics
  readonly logger: Logger
}

/** The time that an append may wait in the queue beyond its deadline. */
const sweepMs = 250
/** Short, because the callers of the partition wait. */
const backoff = { delayMsMin: 40, delayMsMax: 1_000 }

/** One term: its fence, its memory, and the state of the index. */
interface Term {
  readonly log: FencedLog
  /** The index must reach this offset before the term may serve. */
  readonly endOffset: number
  readonly renewal: Renewal
  readonly lease: ReadLease
  /** Set when the term has caught up. */
  guard: Guard
  /** Set when the term has caught up. It is replaced whenever the index has caught up again. */
  memory: TermMemory
  hasCaughtUp: boolean
}

/** The parts of a term while it serves. */
interface Serving {
  readonly term: Term
  readonly round: Round
  readonly commits: CommitsInFlight
}

/**
 * Writes one owned partition: a sequential loop of rounds behind the fence of each term. An append is answered when the log has
 * it; the commit to the index follows. A failure of the index never ends a term: the owner keeps its fence, and the index
 * catches up.
 */
export class PartitionWriter implements OwnedPartition, TermWork<Term> {
  readonly #parts: PartitionParts
  readonly #name: string
  readonly #queue: AppendQueue
  readonly #work = new Signal()
  readonly #current = new Signal()
  readonly #loop: TermLoop<Term>
  /** The index may lag behind the log: it must catch up before the next round and before any read. */
  #isStale = true
  #sweep: NodeJS.Timeout | undefined

  constructor(parts: PartitionParts) {
    const { topic, partition, settings, metrics, logger } = parts
    this.#parts = parts
    this.#name = partitionKey(parts)
    this.#queue = new AppendQueue(settings.queueEventsMax)
    this.#loop = new TermLoop({
      place: { topic, partition },
      work: this,
      backoff,
      onTookOver: (seconds) => metrics.takeOverSeconds.observe(seconds),
      logger,
    })
  }

  get isServing(): boolean {
    return this.#loop.isServing && !this.#isStale
  }

  get waiting(): WaitingPartition | undefined {
    return this.#loop.waiting
  }

  /** Events in the queue. */
  get queueDepth(): number {
    return this.#queue.depth
  }

  start(): void {
    // No batch is taken while the log is retried, but appends still expire.
    this.#sweep = setInterval(() => this.#refuseExpired(), sweepMs)
    this.#loop.start()
  }

  /** Finishes the round in progress and rejects waiting appends with `not-owner`. */
  async stop(): Promise<void> {
    const ended = this.#loop.stop()
    this.#current.notify()
    await ended
    clearInterval(this.#sweep)
  }

  /** @throws EventStoreError as the port specifies for appends, and `overloaded`, `unavailable`, `not-owner`, `outcome-unknown`. */
  async append(append: PendingAppend): Promise<AppendResult> {
    this.#checkOwned()
    this.#queue.add(append)
    this.#work.notify()
    return append.answer
  }

  /**
   * Runs a read of the index under its guard, when the index is current. If the index has lost state, the read is
   * repeated after the catch-up.
   * @param deadlineMs by `performance.now()`
   * @throws EventStoreError `unavailable` when the index is not current in time, `not-owner`.
   */
  async read<T>(
    deadlineMs: number,
    query: (index: PartitionIndex, guard: Guard, memory: TermMemory) => Promise<T | 'guard-lost'>,
  ): Promise<T> {
    for (;;) {
      const { guard, lease, memory } = await this.#currentTerm(deadlineMs)
      const ask = () =>
        query(this.#parts.index, guard, memory).catch((error: unknown) => this.#failRead(error))
      const answer = await lease.confirm(ask, (found) => found !== 'guard-lost')
      if (answer !== 'guard-lost') return answer
      this.#markStale()
    }
  }

  /**
   * The memory, if it has a stream. Then it has every event of it that was acknowledged before the call: the ownership is confirmed.
   * @param deadlineMs by `performance.now()`
   * @throws EventStoreError `unavailable` when the index is not current in time, `not-owner`.
   */
  async recall(streamId: StreamId, deadlineMs: number): Promise<TermMemory | undefined> {
    const { lease, memory } = await this.#currentTerm(deadlineMs)
    if (memory.version(streamId) === undefined) return undefined
    if (lease.isHeld) return memory
    return this.read(deadlineMs, async (index, guard, current) => {
      const checked = await index.check(guard, [])
      return checked === 'guard-lost' ? checked : current
    })
  }

  #failRead(error: unknown): never {
    if (!(error instanceof IndexUnavailableError)) throw error
    this.#markStale()
    throw unavailable(error.message)
  }

  async #currentTerm(deadlineMs: number): Promise<Term> {
    for (;;) {
      this.#checkOwned()
      const { term, trouble } = this.#loop
      if (!this.#isStale && term !== undefined) return term
      if (trouble !== undefined) throw trouble
      const waitMs = deadlineMs - performance.now()
      if (waitMs <= 0) throw unavailable(`${this.#name} is catching up with its log`)
      await this.#current.wait(waitMs)
    }
  }

  #checkOwned(): void {
    if (!this.#loop.isOwner) throw notOwner(this.#name)
    const replaced = this.#loop.logState
    if (replaced !== undefined) throw replaced
  }

  #markStale(): void {
    this.#isStale = true
    this.#work.notify()
  }

  checkLog(): void {
    this.#parts.cluster.checkHeld(this.#parts.topic)
  }

  async prepare(): Promise<void> {
    this.#isStale = true
    await this.#parts.index.guard()
  }

  async takeOver(): Promise<Term> {
    const { openLog, settings } = this.#parts
    const log = openLog()
    const { endOffset, topicId, producerId, epoch } = await log.takeOver()
    return {
      log,
      endOffset,
      renewal: new Renewal(settings.fenceRenewalMs, endOffset),
      lease: new ReadLease(),
      memory: this.#newMemory(),
      guard: { topicId, producerId, epoch, nextOffset: endOffset },
      hasCaughtUp: false,
    }
  }

  describe({ guard: { producerId, epoch } }: Term): object {
    return { producerId: String(producerId), epoch }
  }

  async catchUp(term: Term, { serving }: TermContext): Promise<void> {
    const { catchUp, logger } = this.#parts
    if (term.hasCaughtUp) {
      logger.warn(`the index of ${this.#name} is behind its log: catching up`)
      term.guard = await catchUp.again(term.guard, term.endOffset)
    } else {
      term.guard = await catchUp.toMarker(term.guard, term.endOffset)
      // An owner before may answer reads from its memory until its lease has ended.
      await pause(leaseWaitMs)
      term.hasCaughtUp = true
    }
    await this.#remember(term)
    this.#isStale = false
    serving()
    this.#current.notify()
  }

  /** Starts an empty memory, and reads the event ids that the index has stored. */
  async #remember(term: Term): Promise<void> {
    term.memory.close()
    term.memory = this.#newMemory()
    if ((await term.memory.load(this.#parts.index, term.guard)) === 'loaded') return
    throw new IndexUnavailableError(`the index of ${this.#name} changed while its event ids were read`)
  }

  #newMemory(): TermMemory {
    return new TermMemory(this.#parts.memory, this.#parts.index.rememberedIdsMax)
  }

  async serve(term: Term, { signal }: TermContext): Promise<void> {
    const { catchUp } = this.#parts
    const { log, lease, memory } = term
    const onStrays = (strays: readonly Stray[]) => catchUp.reportStrays(strays)
    const round = new Round({ ...this.#parts, log, lease, onStrays }, memory)
    const commits = new CommitsInFlight(() => this.#markStale())
    let checked: CheckedBatch | undefined
    try {
      while (!signal.aborted && !this.#isStale) {
        if (term.renewal.isDue(term.guard.nextOffset)) await this.#renew(term)
        const next = checked ?? this.#check(round, term.guard)
        checked = undefined
        if (next === undefined) await this.#work.wait(term.renewal.inMs, signal)
        else checked = await this.#runRound({ term, round, commits }, next)
      }
    } finally {
      this.#queue.putBack(checked?.batch ?? [])
      await commits.settled()
    }
  }

  /** @returns the next batch. Its check of the index is sent right after the commit of this batch, which saves a round trip. */
  async #runRound(
    { term, round, commits }: Serving,
    checked: CheckedBatch,
  ): Promise<CheckedBatch | undefined> {
    await commits.room()
    const outcome = await round.run(term.guard, checked)
    this.#queue.putBack(outcome.undecided)
    switch (outcome.kind) {
      case 'failed':
        throw outcome.error
      case 'index-behind':
        this.#markStale()
        return undefined
      case 'nothing-to-append':
        return undefined
      case 'appended': {
        // Reads that follow an answer carry this guard, and Redis answers them after the commit. If the commit fails, the
        // log extends to this offset nevertheless, and a catch-up must reach it.
        term.guard = outcome.guard
        commits.add(outcome.commit())
        outcome.answer()
        return this.#check(round, outcome.guard)
      }
    }
  }

  /** Sends the check of the next batch, if appends wait. */
  #check(round: Round, guard: Guard): CheckedBatch | undefined {
    this.#refuseExpired()
    const batch = this.#queue.take(this.#parts.settings)
    return batch.length === 0 ? undefined : round.check(guard, batch)
  }

  async #renew(term: Term): Promise<void> {
    await term.log.renew()
    term.renewal.renewed(term.guard.nextOffset)
  }

  end({ log, memory }: Term): void {
    this.#isStale = true
    memory.close()
    log.close()
  }

  failed(trouble: EventStoreError): void {
    this.#isStale = true
    this.#current.notify()
    this.#refuseExpired()
    // Sent appends keep waiting: once the log can be read again, their ids show the outcome.
    this.#refuse((append) => (append.sent ? undefined : trouble))
  }

  handBack(): void {
    this.#isStale = true
    this.#current.notify()
    this.#refuse((append) => (append.sent ? outcomeUnknown(this.#name) : notOwner(this.#name)))
  }

  #refuseExpired(): void {
    for (const append of this.#queue.takeExpired(performance.now())) {
      append.refuse(
        append.sent ? outcomeUnknown(this.#name) : unavailable(`${this.#name} did not process it in time`),
      )
    }
  }

  #refuse(reason: (append: PendingAppend) => EventStoreError | undefined): void {
    const kept = this.#queue.takeAll().filter((append) => {
      const error = reason(append)
      if (error !== undefined) append.refuse(error)
      return error === undefined
    })
    this.#queue.putBack(kept)
  }
}
