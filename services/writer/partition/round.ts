import { position } from '#domain'
import { toLogRecord } from '#event-log/records'
import { EventStoreError } from '#event-store'
import { type FencedLog, LogError, type LogRecord, type Stray } from '#kafka'
import { traced } from '#observability'
import {
  type Checked,
  type Guard,
  type IndexEntry,
  IndexMismatchError,
  IndexUnavailableError,
  type PartitionIndex,
} from '#redis-index'
import type { Logger } from 'pino'

import { toIndexEntry } from './index-entry.ts'
import type { PendingAppend } from './pending-append.ts'
import { type AcceptedAppend, planRound, type RoundPlan } from './plan-round.ts'
import type { WriterMetrics } from '../writer-metrics.ts'

export interface RoundParts {
  readonly topic: string
  readonly partition: number
  readonly log: FencedLog
  readonly index: PartitionIndex
  readonly metrics: WriterMetrics
  readonly logger: Logger
  /** Called with data of others that an append found in its way. */
  readonly onStrays: (strays: readonly Stray[]) => void
}

/** A batch, and what the index says to it. */
export interface AskedBatch {
  readonly batch: readonly PendingAppend[]
  readonly checked: Promise<'guard-lost' | Checked>
}

/** What a round needs of the partition's owner. */
export interface RoundOwner {
  /** The next batch, if anything waits. */
  takeBatch(): readonly PendingAppend[]
  /** Takes appends that were not decided, to be decided again after a catch-up or take-over. */
  putBack(appends: readonly PendingAppend[]): void
  /** The index holds this guard from now on. */
  committed(guard: Guard): void
  /** The index may lag behind the log from now on: nobody may read it before a catch-up. */
  markStale(): void
}

/**
 * One round of a partition: check the index, decide, append one batch to the log, commit to the index, answer.
 * Safety comes from the log's fence; the index only repeats what the log holds.
 */
export class Round {
  readonly #parts: RoundParts

  constructor(parts: RoundParts) {
    this.#parts = parts
  }

  /** Asks the index about the next batch; nothing when none waits. */
  ask(guard: Guard, owner: RoundOwner): AskedBatch | undefined {
    const { index, metrics } = this.#parts
    const batch = owner.takeBatch()
    if (batch.length === 0) return undefined
    const checked = metrics.timed('check', () => index.check(guard, batch))
    checked.catch(() => undefined) // Awaited when the batch has its turn.
    return { batch, checked }
  }

  /**
   * @param asked the batch of this round.
   * @returns the batch of the next one, about which the index was asked right behind this one's commit: one wait less for each round.
   * @throws LogError and IndexUnavailableError; every append of the batch has by then been answered or put back.
   */
  async run(guard: Guard, asked: AskedBatch, owner: RoundOwner): Promise<AskedBatch | undefined> {
    const plan = await this.#plan(asked, owner)
    if (plan === undefined) return undefined
    this.#answerDecided(plan)
    owner.putBack(plan.postponed)
    if (plan.accepted.length === 0) return undefined
    const firstOffset = await this.#append(plan, owner)
    const after = { ...guard, nextOffset: firstOffset + plan.events.length }
    const entries = plan.events.map((event, index) => toIndexEntry(event, firstOffset + index))
    const committed = this.#commit(guard, entries, after, owner)
    const next = this.ask(after, owner)
    // Before the answers: whoever has one must never read an index that misses its events.
    await committed
    this.#answerAccepted(plan.accepted, firstOffset)
    return next
  }

  /** @returns nothing when the index has lost state; the batch is then back in the queue. */
  async #plan({ batch, checked }: AskedBatch, owner: RoundOwner): Promise<RoundPlan | undefined> {
    try {
      const known = await checked
      if (known !== 'guard-lost') return planRound(batch, known, new Date().toISOString())
    } catch (error) {
      owner.putBack(batch)
      throw error
    }
    owner.putBack(batch)
    owner.markStale()
    return undefined
  }

  /** Appends the batch to the log. @returns the offset of its first event; the others follow one by one. */
  async #append({ accepted, events }: RoundPlan, owner: RoundOwner): Promise<number> {
    const { metrics } = this.#parts
    const appends = accepted.map(({ append }) => append)
    for (const append of appends) append.sent = true
    try {
      const records = events.map(toLogRecord)
      const { firstOffset, strays } = await metrics.timed('append', () => this.#send(records, appends))
      if (strays.length > 0) this.#parts.onStrays(strays)
      return firstOffset
    } catch (error) {
      this.#settleFailed(appends, error, owner)
      throw error
    }
  }

  /** In a span that is linked to those of the appends, for they share the batch. */
  #send(records: readonly LogRecord[], appends: readonly PendingAppend[]) {
    const { log, topic, partition } = this.#parts
    const details = () => ({
      kind: 'producer' as const,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'send',
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': String(partition),
        'messaging.batch.message_count': records.length,
      },
      links: appends.flatMap(({ span }) => span ?? []),
    })
    return traced(`send ${topic}`, details, () => log.append(records))
  }

  /** Only the log knows what became of a batch that was sent. Deciding it again after the take-over settles it by its ids. */
  #settleFailed(appends: readonly PendingAppend[], error: unknown, owner: RoundOwner): void {
    if (!(error instanceof LogError) || error.outcome !== 'refused') {
      owner.putBack(appends)
      return
    }
    const message = `the log does not take the batch: ${error.message}`
    for (const append of appends)
      append.refuse(new EventStoreError('internal', message, {}, { cause: error }))
  }

  /** The events are in the log for good, whether the index takes them now or not. */
  async #commit(
    guard: Guard,
    entries: readonly IndexEntry[],
    after: Guard,
    owner: RoundOwner,
  ): Promise<void> {
    const { index, metrics, logger, topic, partition } = this.#parts
    try {
      const outcome = await metrics.timed('commit', () => index.commit(guard, entries, after.nextOffset))
      if (outcome === 'guard-lost') owner.markStale()
    } catch (error) {
      // Whatever it is, it changes nothing for those who wait for their answer: a catch-up mends the index.
      logger[isIndexError(error) ? 'warn' : 'error'](
        { err: error },
        `the index of ${topic}/${partition} missed a batch`,
      )
      owner.markStale()
    } finally {
      // Whatever became of the commit, this is how far the log goes by now, and no catch-up may stop short of it.
      owner.committed(after)
    }
  }

  #answerDecided(plan: RoundPlan): void {
    const { metrics } = this.#parts
    for (const { append, error } of plan.refused) append.refuse(error)
    for (const duplicate of plan.duplicates) {
      metrics.duplicates.inc()
      this.#answer(duplicate, duplicate.offset, true)
    }
  }

  #answerAccepted(accepted: readonly AcceptedAppend[], firstOffset: number): void {
    const { metrics } = this.#parts
    let next = firstOffset
    for (const each of accepted) {
      next += each.append.events.length
      this.#answer(each, next - 1, false)
    }
    metrics.appends.inc(accepted.length)
    metrics.events.inc(next - firstOffset)
    metrics.batchEvents.observe(next - firstOffset)
  }

  #answer({ append, firstVersion, lastVersion }: AcceptedAppend, offset: number, duplicate: boolean): void {
    const { topic, partition } = this.#parts
    append.accept({
      streamId: append.streamId,
      firstVersion,
      lastVersion,
      position: position(topic, partition, offset),
      eventIds: append.eventIds,
      duplicate,
    })
  }
}

const isIndexError = (error: unknown): boolean =>
  error instanceof IndexUnavailableError || error instanceof IndexMismatchError
