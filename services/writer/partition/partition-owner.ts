import type { Logger } from 'pino'

import type { AppendResult } from '#domain'
import type { EventStoreError } from '#event-store'
import { type FencedLog, LogError } from '#kafka'
import { type Guard, IndexUnavailableError, type PartitionIndex } from '#redis-index'

import { AppendQueue, type BatchLimits } from './append-queue.ts'
import type { IndexCatchUp } from './index-catch-up.ts'
import { notOwner, outcomeUnknown, unavailable } from './partition-errors.ts'
import type { PendingAppend } from './pending-append.ts'
import { type AskedBatch, Round, type RoundOwner } from './round.ts'
import { Signal } from './signal.ts'
import type { WriterMetrics } from '../writer-metrics.ts'

export interface PartitionSettings extends BatchLimits {
  /** Events that may wait for their round. */
  readonly queueEventsMax: number
  readonly fenceRenewalMs: number
}

export interface PartitionParts {
  readonly topic: string
  readonly partition: number
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

/** One term of this owner: the fence it stands behind, and the index as it knows it. */
interface Term {
  readonly log: FencedLog
  readonly round: Round
  guard: Guard
  renewAtMs: number
}

/**
 * One owned partition: take-over, then one sequential loop of rounds, until it is stopped. Whatever goes wrong is mended in one
 * of three ways: catch the index up, take over anew, or give the partition up.
 */
export class PartitionOwner {
  readonly #parts: PartitionParts
  readonly #name: string
  readonly #queue: AppendQueue
  readonly #work = new Signal()
  readonly #current = new Signal()
  readonly #stopped = new Signal()
  #state: 'taking-over' | 'serving' | 'fenced' | 'stopped' = 'taking-over'
  #term: Term | undefined
  /** The index may lag behind the log: it must catch up before the next round, and before any read. */
  #stale = true
  /** Why the partition cannot be served, from a failure until it is over: meanwhile no read waits. */
  #trouble: string | undefined
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
      if (this.#trouble !== undefined) throw unavailable(this.#trouble)
      const waitMs = deadlineMs - performance.now()
      if (waitMs <= 0) throw unavailable(`${this.#name} is catching up with its log`)
      await this.#current.wait(waitMs)
    }
  }

  #checkOwned(): void {
    if (this.#state === 'fenced' || this.#state === 'stopped') throw notOwner(this.#name)
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
        await this.#serve(await this.#takeOver())
      } catch (error) {
        await this.#recover(error)
      } finally {
        this.#term?.log.close()
        this.#term = undefined
      }
    }
    this.#handBack()
  }

  async #takeOver(): Promise<Term> {
    const { openLog, index, catchUp, metrics, logger, settings } = this.#parts
    this.#stale = true
    // A term costs the log a marker, and one of 32,750 epochs: none is begun while there is no index to serve from.
    await index.guard()
    const stopTimer = metrics.takeOverSeconds.startTimer()
    const log = openLog()
    const { epoch, topicId, endOffset } = await log.takeOver()
    const guard = await catchUp.toMarker({ topicId, epoch }, endOffset)
    this.#term = {
      log,
      round: new Round({ ...this.#parts, log, onGap: (from, until) => this.#lookInto(from, until) }),
      guard,
      renewAtMs: performance.now() + settings.fenceRenewalMs,
    }
    logger.info({ epoch, tookSeconds: stopTimer() }, `took over ${this.#name}`)
    this.#serveFromNowOn()
    return this.#term
  }

  /** What stands there may be a marker of a renewed fence. Nobody waits for this. */
  #lookInto(from: number, until: number): void {
    this.#parts.catchUp.tellForeign(from, until).catch((error: unknown) => {
      this.#parts.logger.warn(
        { err: error },
        `offsets ${from} to ${until} of ${this.#name} cannot be looked at`,
      )
    })
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
        if (performance.now() >= term.renewAtMs) await this.#renew(term)
        const next = asked ?? term.round.ask(term.guard, owner)
        asked = undefined
        if (next === undefined) await this.#work.wait(term.renewAtMs - performance.now())
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
    this.#parts.logger.warn(`the index of ${this.#name} is behind its log: catching up`)
    term.guard = await this.#parts.catchUp.again(term.guard)
    this.#serveFromNowOn()
  }

  async #renew(term: Term): Promise<void> {
    await term.log.renew()
    term.renewAtMs = performance.now() + this.#parts.settings.fenceRenewalMs
  }

  async #recover(error: unknown): Promise<void> {
    this.#stale = true
    const { logger } = this.#parts
    if (error instanceof LogError && error.outcome === 'fenced') {
      logger.warn({ reason: error.message }, `another writer owns ${this.#name} now: giving it up`)
      if (!this.#isStopped()) this.#state = 'fenced'
      this.#current.notify()
      this.#handBack()
      await this.#stopped.wait(fencedPauseMs)
      if (!this.#isStopped()) this.#state = 'taking-over'
      return
    }
    logger.warn({ err: error }, `${this.#name} cannot be served now: trying again`)
    this.#trouble = messageOf(error)
    this.#current.notify()
    this.#refuseExpired()
    // Those that were sent wait: once the log can be read again, their ids tell what became of them.
    this.#refuse((append) => (append.sent ? undefined : unavailable(messageOf(error))))
    this.#backoffMs = Math.min(backoffMsMax, this.#backoffMs * 2)
    await this.#stopped.wait(this.#backoffMs * (0.5 + Math.random() / 2))
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

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
