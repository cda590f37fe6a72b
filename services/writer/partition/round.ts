import { position } from '#domain'
import { toLogRecord } from '#event-log/records'
import { EventStoreError } from '#event-store'
import { type FencedLog, LogError, type LogRecord, type Stray } from '#kafka'
import { traced } from '#observability'
import {
  type Guard,
  type IndexEntry,
  IndexMismatchError,
  IndexUnavailableError,
  type PartitionIndex,
} from '#redis-index'
import type { Logger } from 'pino'

import type { TermMemory } from '../memory/term-memory.ts'
import { BatchCheck } from './batch-check.ts'
import { toIndexEntry } from './index-entry.ts'
import type { PendingAppend } from './pending-append.ts'
import { type AcceptedAppend, type KnownStream, planRound, type RoundPlan } from './plan-round.ts'
import type { ReadLease } from './read-lease.ts'
import type { WriterMetrics } from '../writer-metrics.ts'

export interface RoundParts {
  readonly topic: string
  readonly partition: number
  readonly log: FencedLog
  readonly index: PartitionIndex
  /** Confirms that this process owns the partition. */
  readonly lease: ReadLease
  readonly metrics: WriterMetrics
  readonly logger: Logger
  /** Called with data of other producers before an appended batch. */
  readonly onStrays: (strays: readonly Stray[]) => void
}

/** A batch and what is known of its streams. */
export interface CheckedBatch {
  readonly batch: readonly PendingAppend[]
  readonly known: Promise<'guard-lost' | readonly KnownStream[]>
}

interface Undecided {
  /** Appends to decide again first, in this order. */
  readonly undecided: readonly PendingAppend[]
}

/** The batch is in the log, and its appends are answered. */
interface AppendedRound extends Undecided {
  readonly kind: 'appended'
  /** The guard of the index after the commit. */
  readonly guard: Guard
  /** Commits the batch to the index. @returns false if that failed, and the index must catch up. Never rejects. */
  readonly commit: () => Promise<boolean>
  /** Answers the appends. From now on reads must be made under `guard`. */
  readonly answer: () => void
}

/**
 * The outcome of a round, for its owner to act on.
 * `index-behind`: the index has lost state and must catch up. `failed`: the error decides whether the term ends.
 */
type RoundOutcome =
  | AppendedRound
  | (Undecided & { readonly kind: 'nothing-to-append' | 'index-behind' })
  | (Undecided & { readonly kind: 'failed'; readonly error: unknown })

/**
 * One round of a partition: check memory and index, decide, append one batch to the log, answer, commit to the index.
 * The log's fence guarantees safety; memory and index only copy the log.
 */
export class Round {
  readonly #parts: RoundParts
  readonly #memory: TermMemory

  constructor(parts: RoundParts, memory: TermMemory) {
    this.#parts = parts
    this.#memory = memory
  }

  /** Looks up the streams of a batch in memory, and sends the index the questions that remain. */
  check(guard: Guard, batch: readonly PendingAppend[]): CheckedBatch {
    const { index, metrics, lease } = this.#parts
    const check = new BatchCheck(this.#memory, batch)
    const ask = () => metrics.timed('check', () => check.complete(index, guard))
    const known = check.isComplete ? check.complete(index, guard) : lease.confirm(ask, isHeld)
    known.catch(() => undefined) // Awaited when the batch is decided.
    return { batch, known }
  }

  /** Decides the batch and appends the accepted events. Rejected and duplicate appends are answered immediately. Never rejects. */
  async run(guard: Guard, { batch, known: checked }: CheckedBatch): Promise<RoundOutcome> {
    try {
      const known = await checked
      if (known === 'guard-lost') return { kind: 'index-behind', undecided: batch }
      const plan = planRound(batch, known, new Date().toISOString())
      if (plan.refused.length > 0 && !(await this.#isOwner(guard))) {
        return { kind: 'index-behind', undecided: batch }
      }
      this.#answerDecided(plan)
      if (plan.accepted.length === 0) return { kind: 'nothing-to-append', undecided: plan.postponed }
      return await this.#append(guard, plan)
    } catch (error) {
      return { kind: 'failed', undecided: batch, error }
    }
  }

  /**
   * The log proves an accepted append. A rejected one is answered by versions in memory, which are out of date if another owner has
   * taken over.
   */
  async #isOwner(guard: Guard): Promise<boolean> {
    const { lease, index } = this.#parts
    return lease.isHeld || isHeld(await lease.confirm(() => index.check(guard, []), isHeld))
  }

  /** Appends the batch to the log, at contiguous offsets: all events or none. */
  async #append(guard: Guard, plan: RoundPlan): Promise<RoundOutcome> {
    const { metrics, onStrays, lease } = this.#parts
    const appends = plan.accepted.map(({ append }) => append)
    for (const append of appends) append.sent = true
    try {
      const records = plan.events.map(toLogRecord)
      const send = () => metrics.timed('append', () => this.#send(records, appends))
      const { firstOffset, strays } = await lease.confirm(send, () => true)
      if (strays.length > 0) onStrays(strays)
      return this.#appended(guard, plan, firstOffset)
    } catch (error) {
      return { kind: 'failed', undecided: [...openAfter(error, appends), ...plan.postponed], error }
    }
  }

  #appended(guard: Guard, plan: RoundPlan, firstOffset: number): AppendedRound {
    const after = { ...guard, nextOffset: firstOffset + plan.events.length }
    this.#memory.append(plan.events, firstOffset)
    const entries = plan.events.map((event, index) => toIndexEntry(event, firstOffset + index))
    return {
      kind: 'appended',
      undecided: plan.postponed,
      guard: after,
      commit: () => this.#commit(guard, entries, after),
      answer: () => this.#answerAccepted(plan.accepted, firstOffset),
    }
  }

  /** Appends in a span that is linked to the spans of the appends, because they share the batch. */
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

  /** Commits appended events to the index. @returns whether it succeeded. */
  async #commit(guard: Guard, entries: readonly IndexEntry[], after: Guard): Promise<boolean> {
    const { index, metrics, logger, topic, partition } = this.#parts
    try {
      const outcome = await metrics.timed('commit', () => index.commit(guard, entries, after.nextOffset))
      return outcome !== 'guard-lost'
    } catch (error) {
      // The callers are not affected: a catch-up repairs the index.
      logger[isIndexError(error) ? 'warn' : 'error'](
        { err: error },
        `the index of ${topic}/${partition} missed a batch`,
      )
      return false
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

const isHeld = (answer: unknown): boolean => answer !== 'guard-lost'

const isIndexError = (error: unknown): boolean =>
  error instanceof IndexUnavailableError || error instanceof IndexMismatchError

/**
 * Handles a failed append. Only the log shows the outcome of a batch that was sent, so it is decided again by its ids
 * after the take-over. A batch that the log rejected is rejected to its callers. @returns the undecided appends.
 */
function openAfter(error: unknown, appends: readonly PendingAppend[]): readonly PendingAppend[] {
  if (!(error instanceof LogError) || error.outcome !== 'refused') return appends
  const message = `the log rejected the batch: ${error.message}`
  for (const append of appends) append.refuse(new EventStoreError('internal', message, {}, { cause: error }))
  return []
}
