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

/** A batch and the answer of the index about it. */
export interface CheckedBatch {
  readonly batch: readonly PendingAppend[]
  readonly checked: Promise<'guard-lost' | Checked>
}

interface Undecided {
  /** Appends to decide again, before all others and in this order. */
  readonly undecided: readonly PendingAppend[]
}

/** The batch is in the log. Its appends get their answers when the owner calls `answer`. */
interface AppendedRound extends Undecided {
  readonly kind: 'appended'
  /** What the index holds after the commit. */
  readonly guard: Guard
  /** Resolves when the commit has ended: false where the index misses it and must catch up. Never rejects. */
  readonly committed: Promise<boolean>
  readonly answer: () => void
}

/**
 * What became of a round; its owner acts on it.
 * `index-behind`: the index has lost state and must catch up. `failed`: the error decides whether the term goes on.
 */
type RoundOutcome =
  | AppendedRound
  | (Undecided & { readonly kind: 'nothing-to-append' | 'index-behind' })
  | (Undecided & { readonly kind: 'failed'; readonly error: unknown })

/**
 * One round of a partition: check the index, decide, append one batch to the log, commit to the index, answer.
 * Safety comes from the log's fence; the index only repeats what the log holds.
 */
export class Round {
  readonly #parts: RoundParts

  constructor(parts: RoundParts) {
    this.#parts = parts
  }

  /** Asks the index about a batch. */
  check(guard: Guard, batch: readonly PendingAppend[]): CheckedBatch {
    const { index, metrics } = this.#parts
    const checked = metrics.timed('check', () => index.check(guard, batch))
    checked.catch(() => undefined) // Awaited when the batch has its turn.
    return { batch, checked }
  }

  /** Decides the batch and appends what is accepted. Appends that are refused or known are answered at once. Never rejects. */
  async run(guard: Guard, { batch, checked }: CheckedBatch): Promise<RoundOutcome> {
    try {
      const known = await checked
      if (known === 'guard-lost') return { kind: 'index-behind', undecided: batch }
      const plan = planRound(batch, known, new Date().toISOString())
      this.#answerDecided(plan)
      if (plan.accepted.length === 0) return { kind: 'nothing-to-append', undecided: plan.postponed }
      return await this.#append(guard, plan)
    } catch (error) {
      return { kind: 'failed', undecided: batch, error }
    }
  }

  /** Appends the batch to the log: all of it, at offsets one by one, or nothing. */
  async #append(guard: Guard, plan: RoundPlan): Promise<RoundOutcome> {
    const { metrics, onStrays } = this.#parts
    const appends = plan.accepted.map(({ append }) => append)
    for (const append of appends) append.sent = true
    try {
      const records = plan.events.map(toLogRecord)
      const { firstOffset, strays } = await metrics.timed('append', () => this.#send(records, appends))
      if (strays.length > 0) onStrays(strays)
      return this.#appended(guard, plan, firstOffset)
    } catch (error) {
      return { kind: 'failed', undecided: [...openAfter(error, appends), ...plan.postponed], error }
    }
  }

  #appended(guard: Guard, plan: RoundPlan, firstOffset: number): AppendedRound {
    const after = { ...guard, nextOffset: firstOffset + plan.events.length }
    const entries = plan.events.map((event, index) => toIndexEntry(event, firstOffset + index))
    return {
      kind: 'appended',
      undecided: plan.postponed,
      guard: after,
      committed: this.#commit(guard, entries, after),
      answer: () => this.#answerAccepted(plan.accepted, firstOffset),
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

  /** The events are in the log, whether the index takes them now or not. @returns whether it did. */
  async #commit(guard: Guard, entries: readonly IndexEntry[], after: Guard): Promise<boolean> {
    const { index, metrics, logger, topic, partition } = this.#parts
    try {
      const outcome = await metrics.timed('commit', () => index.commit(guard, entries, after.nextOffset))
      return outcome !== 'guard-lost'
    } catch (error) {
      // It changes nothing for the callers: a catch-up repairs the index.
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

const isIndexError = (error: unknown): boolean =>
  error instanceof IndexUnavailableError || error instanceof IndexMismatchError

/**
 * Only the log knows what became of a batch that was sent: deciding it again after the take-over settles it by its ids.
 * A batch that the log refused is refused to its callers. @returns the appends that are open.
 */
function openAfter(error: unknown, appends: readonly PendingAppend[]): readonly PendingAppend[] {
  if (!(error instanceof LogError) || error.outcome !== 'refused') return appends
  const message = `the log does not take the batch: ${error.message}`
  for (const append of appends) append.refuse(new EventStoreError('internal', message, {}, { cause: error }))
  return []
}
