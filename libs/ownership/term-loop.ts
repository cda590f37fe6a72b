import type { Logger } from 'pino'

import { Backoff, type BackoffLimits, halfJitter, pause } from '#async'
import { partitionKey, type TopicPartition } from '#domain'
import { namedState, type WaitingPartition } from '#event-log'
import type { EventStoreError } from '#event-store'
import { reportSafely } from '#observability'

import { endsTerm, isFenced } from './ends-term.ts'
import type { OwnedPartition } from './owned-partition.ts'
import { Standing, waitingPartition } from './standing.ts'
import { TakeOverPace } from './take-over-pace.ts'
import type { TermContext, TermWork } from './term-work.ts'

export interface TermLoopOptions<Term> {
  readonly place: TopicPartition
  /** Prefix of each log line: `snapshots of eventstore.order/3`. Default: `topic/partition`. */
  readonly name?: string
  readonly work: TermWork<Term>
  /** Delays between retries. Default: 100 ms to 5 s. */
  readonly backoff?: BackoffLimits
  /** Called when a term first serves, with the time since its take-over. */
  readonly onTookOver?: (seconds: number) => void
  /** Called when a term, or a take-over, has failed for good. Unless the loop is stopped, it takes over again after a pause. */
  readonly onTermLost?: (() => void) | undefined
  readonly logger: Logger
}

const backoffDefault: BackoffLimits = { delayMsMin: 100, delayMsMax: 5_000 }
/** How long a fenced owner waits for the group to revoke the partition before it takes over again. */
const fencedPauseMs = 3_000
/** How often a partition that waits for an operator is retried. */
const namedStatePauseMs = 2_000

/**
 * The life of one owned partition: take over, catch up, serve, and hand back on `stop`. At most one term at a time.
 * Retries have no limit, but never consume epochs in a loop: the back-off grows with each failure, and
 * {@link TakeOverPace} bounds take-overs for any kind of failure.
 */
export class TermLoop<Term> implements OwnedPartition {
  readonly #options: TermLoopOptions<Term>
  readonly #name: string
  readonly #work: TermWork<Term>
  readonly #standing: Standing
  readonly #backoff: Backoff
  readonly #pace = new TakeOverPace()
  readonly #stopping = new AbortController()
  #term: Term | undefined
  #life: Promise<void> | undefined

  constructor(options: TermLoopOptions<Term>) {
    const { place, name = partitionKey(place), work, backoff = backoffDefault } = options
    this.#options = options
    this.#name = name
    this.#work = work
    this.#standing = new Standing(name, options.logger)
    this.#backoff = new Backoff(backoff, halfJitter)
  }

  get isServing(): boolean {
    return this.#standing.isServing
  }

  /** False once another owner is known or `stop` was called. */
  get isOwner(): boolean {
    return this.#standing.isOwner
  }

  /** The term in progress. */
  get term(): Term | undefined {
    return this.#term
  }

  /** The error for callers, from a failure until the partition is served again. */
  get trouble(): EventStoreError | undefined {
    return this.#standing.trouble
  }

  /** The error of a log that must not be served, from a new call of `checkLog`. */
  get logState(): EventStoreError | undefined {
    try {
      this.#work.checkLog?.()
      return undefined
    } catch (error) {
      return namedState(error)
    }
  }

  /** The error of a partition that waits for an operator. A replaced log is noticed before any operation fails. */
  get namedState(): EventStoreError | undefined {
    return this.logState ?? namedState(this.trouble)
  }

  get waiting(): WaitingPartition | undefined {
    const named = this.namedState
    return named && waitingPartition(this.#options.place, named)
  }

  start(): void {
    this.#life = this.#live()
  }

  async stop(): Promise<void> {
    this.#standing.stopped()
    this.#stopping.abort()
    await this.#life
  }

  get #signal(): AbortSignal {
    return this.#stopping.signal
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  async #live(): Promise<void> {
    while (!this.#isStopping()) {
      try {
        await this.#liveTerm()
      } catch (error) {
        await this.#recover(error)
      }
    }
    this.#work.handBack?.()
  }

  async #liveTerm(): Promise<void> {
    const term = await this.#takeOver()
    if (term === undefined) return
    const context = this.#contextOf(term)
    this.#term = term
    try {
      while (!this.#isStopping()) await this.#serve(term, context)
    } finally {
      this.#term = undefined
      this.#work.end(term)
    }
  }

  /** @returns undefined if it was stopped meanwhile. */
  async #takeOver(): Promise<Term | undefined> {
    this.#work.checkLog?.()
    for (let { waitMs } = this.#pace; waitMs > 0 && !this.#isStopping(); { waitMs } = this.#pace) {
      await pause(waitMs, this.#signal)
    }
    await this.#work.prepare()
    if (this.#isStopping()) return undefined
    this.#pace.spend()
    return this.#work.takeOver()
  }

  #contextOf(term: Term): TermContext {
    const sinceMs = performance.now()
    let hasServed = false
    const serving = () => {
      this.#standing.serving()
      this.#backoff.reset()
      if (!hasServed) this.#reportTookOver(term, (performance.now() - sinceMs) / 1_000)
      hasServed = true
    }
    return { signal: this.#signal, serving }
  }

  #reportTookOver(term: Term, tookSeconds: number): void {
    const { logger, onTookOver } = this.#options
    reportSafely(() => onTookOver?.(tookSeconds))
    logger.info({ ...this.#work.describe?.(term), tookSeconds }, `${this.#name}: took over`)
  }

  /** @throws the error that ends the term. */
  async #serve(term: Term, context: TermContext): Promise<void> {
    try {
      await this.#work.catchUp(term, context)
      if (!this.#isStopping()) await this.#work.serve(term, context)
    } catch (error) {
      if (this.#isStopping()) return
      if (endsTerm(error)) throw error
      await this.#backOff(error)
    }
  }

  async #recover(error: unknown): Promise<void> {
    if (this.#isStopping()) return
    if (endsTerm(error)) reportSafely(() => this.#options.onTermLost?.())
    if (!isFenced(error)) return this.#backOff(error)
    const { logger } = this.#options
    logger.warn({ reason: error.message }, `${this.#name}: another instance has taken over, handing back`)
    this.#standing.fenced()
    this.#work.handBack?.()
    await pause(fencedPauseMs, this.#signal)
    this.#standing.takingOver()
  }

  async #backOff(error: unknown): Promise<void> {
    const trouble = this.#standing.failed(error)
    this.#work.failed?.(trouble)
    const delayMs = trouble.retry === 'never' ? halfJitter(namedStatePauseMs) : this.#backoff.nextMs()
    await pause(delayMs, this.#signal)
  }
}
