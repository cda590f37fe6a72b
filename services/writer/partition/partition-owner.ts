import type { Logger } from 'pino'

import { Signal } from '#async'
import type { AppendResult } from '#domain'
import { namedState } from '#event-log'
import type { EventStoreError } from '#event-store'
import { type FencedLog, type KafkaCluster, LogError, TakeOverPace } from '#kafka'
import { type Guard, IndexUnavailableError, type PartitionIndex } from '#redis-index'

import { AppendQueue, type BatchLimits } from './append-queue.ts'
import type { IndexCatchUp } from './index-catch-up.ts'
import { notOwner, outcomeUnknown, unavailable } from './partition-errors.ts'
import type { PendingAppend } from './pending-append.ts'
import { Renewal } from './renewal.ts'
import { type AskedBatch, Round, type RoundOwner } from './round.ts'
import type { WriterMetrics } from '../writer-metrics.ts'

export interface PartitionSettings extends BatchLimits {
  /** Events that may wait for their round. */
  readonly queueEventsMax: number
  readonly fenceRenewalMs: number
}

export interface PartitionParts {
  readonly topic: string
  readonly partition: number
  readonly cluster: Pick<KafkaCluster, 'checkHeld'>
  /** A fenced log is dead for good, so each term opens one of its own. */
  readonly openLog: () => FencedLog
  readonly index: PartitionIndex
  readonly catchUp: IndexCatchUp
  readonly settings: PartitionSettings
  readonly metrics: WriterMetrics
  readonly logger: Logger
}

/** How long a fenced owner waits to be told that the partition is not its own any more, before it takes over anew. */
const fencedPauseMs = 3_000
/** How much longer than its deadline an append may wait in the queue. */
const sweepMs = 250
const backoffMsMin = 20
const backoffMsMax = 1_000
/** How often it is looked whether an operator has mended what only an operator can. */
const namedStatePauseMs = 2_000

/** One term of this owner: the fence it stands behind, and the index as it knows it. */
interface Term {
  readonly log: FencedLog
  readonly round: Round
  /** Up to here the index must come before this term may serve. */
  readonly endOffset: number
  /** Holds once the term has caught up. */
  guard: Guard
  hasServed: boolean
  renewal: Renewal
}

/**
 * One owned partition: take-over, then one sequential loop of rounds, until it is stopped. Whatever goes wrong is mended in one
 * of three ways: catch the index up, take over again, or give the partition up. What only concerns the index never costs a term:
 * an owner keeps its fence and tries again.
 */
export class PartitionOwner {
  readonly #parts: PartitionParts
  readonly #name: string
  readonly #queue: AppendQueue
  readonly #work = new Signal()
  readonly #current = new Signal()
  readonly #stopped = new Signal()
  readonly #pace = new TakeOverPace()
  #state: 'taking-over' | 'serving' | 'fenced' | 'stopped' = 'taking-over'
  #term: Term | undefined
  /** The index may lag behind the log: it must catch up before the next round, and before any read. */
  #stale = true
  /** Why the partition cannot be served, from a failure until it is over: meanwhile no read waits. */
  #trouble: EventStoreError | undefined
  #backoffMs = backoffMsMin
  #life: Promise<void> | undefined

  constructor(parts: PartitionParts) {
    this.#parts = parts
    this.#name = `${parts.topic}/${parts.partition}`
    this.#queue = new AppendQueue(parts.settings.queueEventsMax)
  }

  get isServing(): boolean {
    return this.#state === 'serving' && !this.#stale
  }

  /** Why this partition waits for an operator: `log-replaced` or `events-deleted`, and what to do. */
  get namedState(): EventStoreError | undefined {
    return this.#replaced() ?? (this.#trouble?.retry === 'never' ? this.#trouble : undefined)
  }

  /** Events that wait for their round. */
  get queueDepth(): number {
    return this.#queue.depth
  }

  start(): void {
    // While the log is tried again and again, nobody takes batches, but callers' time runs out all the same.
    const sweep = setInterval(() => this.#refuseExpired(), sweepMs)
    this.#life = this.#live().finally(() => clearInterval(sweep))
  }

  /** Finishes the round under way, hands back what waits (`not-owner`), and ends. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    for (const signal of [this.#work, this.#stopped, this.#current]) signal.notify()
    await this.#life
  }

  /** @throws EventStoreError whatever the port says of appends, and `overloaded`, `unavailable`, `not-owner`, `outcome-unknown`. */
  async append(append: PendingAppend): Promise<AppendResult> {
    this.#checkOwned()
    this.#queue.add(append)
    this.#work.notify()
    return append.answer
  }

  /**
   * Runs a read of the index under its guard, once the index is current. Where the index turns out to have lost state, the read
   * runs again after the catch-up.
   * @param deadlineMs by `performance.now()`
   * @throws EventStoreError `unavailable` when the index is not current in time, `not-owner`.
   */
  async read<T>(
    deadlineMs: number,
    query: (index: PartitionIndex, guard: Guard) => Promise<T | 'guard-lost'>,
  ): Promise<T> {
    for (;;) {
      const guard = await this.#currentGuard(deadlineMs)
      const answer = await query(this.#parts.index, guard).catch((error: unknown) => this.#failRead(error))
      if (answer !== 'guard-lost') return answer
      this.#markStale()
    }
  }

  #failRead(error: unknown): never {
    if (!(error instanceof IndexUnavailableError)) throw error
    this.#markStale()
    throw unavailable(error.message)
  }

  async #currentGuard(deadlineMs: number): Promise<Guard> {
    for (;;) {
      this.#checkOwned()
      if (!this.#stale && this.#term !== undefined) return this.#term.guard
      if (this.#trouble !== undefined) throw this.#trouble
      const waitMs = deadlineMs - performance.now()
      if (waitMs <= 0) throw unavailable(`${this.#name} is catching up with its log`)
      await this.#current.wait(waitMs)
    }
  }

  #checkOwned(): void {
    if (this.#state === 'fenced' || this.#state === 'stopped') throw notOwner(this.#name)
    const replaced = this.#replaced()
    if (replaced !== undefined) throw replaced
  }

  #replaced(): EventStoreError | undefined {
    try {
      this.#parts.cluster.checkHeld(this.#parts.topic)
      return undefined
    } catch (error) {
      return namedState(error)
    }
  }

  #markStale(): void {
    this.#stale = true
    this.#work.notify()
  }

  #isStopped(): boolean {
    return this.#state === 'stopped'
  }

  async #live(): Promise<void> {
    while (!this.#isStopped()) {
      try {
        await this.#takeOver()
        if (this.#term !== undefined) await this.#liveInTerm(this.#term)
      } catch (error) {
        await this.#recover(error)
      } finally {
        this.#term?.log.close()
        this.#term = undefined
      }
    }
    this.#handBack()
  }

  async #takeOver(): Promise<void> {
    const { cluster, topic, openLog, index, catchUp, settings } = this.#parts
    this.#stale = true
    cluster.checkHeld(topic)
    // A term costs the log a marker, and one of 32,750 epochs: none is begun while there is no index to serve from.
    await index.guard()
    for (let { waitMs } = this.#pace; waitMs > 0; { waitMs } = this.#pace) {
      await this.#stopped.wait(waitMs)
      if (this.#isStopped()) return
    }
    this.#pace.spend()
    const log = openLog()
    const { endOffset, topicId, producerId, epoch } = await log.takeOver()
    const round = new Round({ ...this.#parts, log, onStrays: (strays) => catchUp.reportStrays(strays) })
    const guard = { topicId, producerId, epoch, nextOffset: endOffset }
    const renewal = new Renewal(settings.fenceRenewalMs, endOffset)
    this.#term = { log, round, endOffset, guard, hasServed: false, renewal }
  }

  /** @throws LogError that ends the term. */
  async #liveInTerm(term: Term): Promise<void> {
    while (!this.#isStopped()) {
      try {
        await this.#serve(term)
      } catch (error) {
        if (endsTerm(error)) throw error
        await this.#backOff(error)
      }
    }
  }

  #serveFromNowOn(): void {
    if (!this.#isStopped()) this.#state = 'serving'
    this.#stale = false
    this.#trouble = undefined
    this.#backoffMs = backoffMsMin
    this.#current.notify()
  }

  async #serve(term: Term): Promise<void> {
    let asked: AskedBatch | undefined
    const owner = this.#roundOwner(term)
    try {
      while (!this.#isStopped()) {
        if (this.#stale) {
          this.#queue.putBack(asked?.batch ?? [])
          asked = undefined
          await this.#catchUp(term)
        }
        if (term.renewal.isDue(term.guard.nextOffset)) await this.#renew(term)
        const next = asked ?? term.round.ask(term.guard, owner)
        asked = undefined
        if (next === undefined) await this.#work.wait(term.renewal.inMs)
        else asked = await term.round.run(term.guard, next, owner)
      }
    } finally {
      this.#queue.putBack(asked?.batch ?? [])
    }
  }

  #roundOwner(term: Term): RoundOwner {
    return {
      takeBatch: () => {
        this.#refuseExpired()
        return this.#queue.take(this.#parts.settings)
      },
      putBack: (appends) => this.#queue.putBack(appends),
      committed: (guard) => (term.guard = guard),
      markStale: () => this.#markStale(),
    }
  }

  async #catchUp(term: Term): Promise<void> {
    const { catchUp, logger, metrics } = this.#parts
    if (term.hasServed) {
      logger.warn(`the index of ${this.#name} is behind its log: catching up`)
      term.guard = await catchUp.again(term.guard, term.endOffset)
    } else {
      const stopTimer = metrics.takeOverSeconds.startTimer()
      term.guard = await catchUp.toMarker(term.guard, term.endOffset)
      term.hasServed = true
      const { producerId, epoch } = term.guard
      logger.info(
        { producerId: String(producerId), epoch, tookSeconds: stopTimer() },
        `took over ${this.#name}`,
      )
    }
    this.#serveFromNowOn()
  }

  async #renew(term: Term): Promise<void> {
    await term.log.renew()
    term.renewal.renewed(term.guard.nextOffset)
  }

  async #recover(error: unknown): Promise<void> {
    this.#stale = true
    if (!isFenced(error)) return this.#backOff(error)
    const { logger } = this.#parts
    logger.warn({ reason: error.message }, `another writer owns ${this.#name} now: giving it up`)
    if (!this.#isStopped()) this.#state = 'fenced'
    this.#current.notify()
    this.#handBack()
    await this.#stopped.wait(fencedPauseMs)
    if (!this.#isStopped()) this.#state = 'taking-over'
  }

  async #backOff(error: unknown): Promise<void> {
    this.#stale = true
    const named = namedState(error)
    const trouble = named ?? unavailable(messageOf(error))
    this.#logTrouble(error, trouble)
    this.#trouble = trouble
    this.#current.notify()
    this.#refuseExpired()
    // Those that were sent wait: once the log can be read again, their ids tell what became of them.
    this.#refuse((append) => (append.sent ? undefined : trouble))
    this.#backoffMs = named === undefined ? Math.min(backoffMsMax, this.#backoffMs * 2) : namedStatePauseMs
    await this.#stopped.wait(this.#backoffMs * (0.5 + Math.random() / 2))
  }

  /** Once for each reason: it may last for days. */
  #logTrouble(error: unknown, { message, retry }: EventStoreError): void {
    if (this.#trouble?.message === message) return
    const { logger } = this.#parts
    if (retry === 'never') logger.error({ err: error }, `${this.#name} waits for an operator: ${message}`)
    else logger.warn({ err: error }, `${this.#name} cannot be served now: trying again`)
  }

  #refuseExpired(): void {
    for (const append of this.#queue.takeExpired(performance.now())) {
      append.refuse(
        append.sent ? outcomeUnknown(this.#name) : unavailable(`${this.#name} did not get to it in time`),
      )
    }
  }

  #handBack(): void {
    this.#refuse((append) => (append.sent ? outcomeUnknown(this.#name) : notOwner(this.#name)))
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

const isFenced = (error: unknown): error is LogError =>
  error instanceof LogError && error.outcome === 'fenced'

/** After these the fence does not stand any more, or not for this log. Whatever else fails leaves it standing. */
const endsTerm = (error: unknown): boolean =>
  error instanceof LogError && ['fenced', 'unknown', 'take-over', 'log-replaced'].includes(error.outcome)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
