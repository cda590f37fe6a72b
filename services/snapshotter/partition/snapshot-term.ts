import { randomUUID } from 'node:crypto'

import type { Logger } from 'pino'

import { inParallel } from '#async'
import type { AggregateStore, LoadedAggregate, StreamId } from '#domain'
import { eventsDeleted } from '#event-log'
import { EventStoreError, type SnapshotTaken } from '#event-store'
import type { FencedLog, KafkaCluster, LogReader } from '#kafka'
import { traced } from '#observability'
import { missingHead, type PartitionIndex } from '#redis-index'
import type { EventCodec } from '#schemas'

import type { SnapshotterMetrics } from '../snapshotter-metrics.ts'
import { scanSnapshots } from '../topic/scan-snapshots.ts'
import { SnapshotLog } from '../topic/snapshot-log.ts'
import type { EncodedSnapshot } from '../topic/snapshot-record.ts'
import { type CheckpointState, isRebuilding } from './checkpoint.ts'
import { isPassing, reasonOf } from './passing-errors.ts'
import type { DueStream, Span } from './span.ts'
import { type SnapshotAggregate, StateSource, withoutSnapshots } from './state-source.ts'

export interface SnapshotTermParts {
  readonly aggregate: SnapshotAggregate
  /** The event topic. */
  readonly topic: string
  readonly partition: number
  readonly cluster: Pick<KafkaCluster, 'topic'>
  /** Loads aggregates. */
  readonly store: AggregateStore
  readonly codec: EventCodec
  readonly index: PartitionIndex
  readonly reader: LogReader
  readonly settings: { readonly loadsMax: number }
  readonly metrics: SnapshotterMetrics
  readonly logger: Logger
}

/** Records of a clean-up that are appended concurrently. */
const removalsMax = 1_000

/** The work of one owner behind its fence: it takes snapshots and removes outdated ones. */
export class SnapshotTerm {
  readonly id = randomUUID()
  readonly #parts: SnapshotTermParts
  readonly #log: SnapshotLog
  #source: StateSource
  #isFromEvents = false
  #topicId: string | undefined

  /** @param log that this term has taken over. */
  constructor(parts: SnapshotTermParts, log: FencedLog) {
    this.#parts = parts
    this.#log = new SnapshotLog(log, parts.index)
    this.#source = this.#newSource()
  }

  /** During a rebuild, states are folded from events only. @param isMoved whether snapshots stored before must be stored again. */
  goOnFrom(state: CheckpointState, isMoved: boolean): void {
    this.#topicId = state.topicId
    this.#log.foldsFrom(state.topicId)
    if (isMoved) this.#log.forget()
    if (!isMoved && this.#isFromEvents === isRebuilding(state)) return
    this.#isFromEvents = isRebuilding(state)
    this.#source = this.#newSource()
  }

  /**
   * Takes a snapshot of each stream that is due. A failure of one stream is counted and logged, and the others are taken.
   * @throws transient errors (see {@link isPassing}): some snapshots must be taken again; or the reason of the signal.
   */
  takeDue(span: Pick<Span, 'due' | 'taken'>, signal: AbortSignal): Promise<void> {
    const take = async (due: DueStream) => {
      if (this.#log.newest(due.streamId) < due.version) await this.#takeOne(due)
      span.taken(due.streamId)
    }
    return inParallel(span.due(), this.#parts.settings.loadsMax, take, signal)
  }

  /** @throws EventStoreError `stream-not-found`, `invalid-state`; LogError `refused`; transient errors, see {@link isPassing}. */
  async take(streamId: StreamId): Promise<SnapshotTaken> {
    const startedMs = performance.now()
    const before = this.#log.newest(streamId)
    const { version, stateVersion, state } = await this.#take(streamId, 0)
    const tookMs = Math.round(performance.now() - startedMs)
    return { streamId, version, stateVersion, bytes: state.length, tookMs, created: version > before }
  }

  /** Removes snapshots of other state versions and of other event topics. @returns their number. @throws LogError */
  async cleanUp(): Promise<number> {
    const { aggregate, partition, reader } = this.#parts
    const { type, snapshot } = aggregate
    const heads = await scanSnapshots(reader, type, partition)
    const isOfLog = (topicId = this.#topicId) => topicId === this.#topicId
    const outdated = heads.filter(
      ({ stateVersion, topicId }) => stateVersion !== snapshot.stateVersion || !isOfLog(topicId),
    )
    await inParallel(outdated, removalsMax, ({ streamId }) => this.#log.remove(streamId))
    return outdated.length
  }

  renewFence(): Promise<void> {
    return this.#log.renewFence()
  }

  close(): void {
    this.#log.close()
  }

  async #takeOne({ streamId, version, folded }: DueStream): Promise<void> {
    try {
      await this.#take(streamId, version, folded)
    } catch (error) {
      if (isPassing(error)) throw error
      if (isEventsDeleted(error)) await this.#checkHead()
      this.#failed(streamId, error)
    }
  }

  #newSource(): StateSource {
    const { store, aggregate, codec } = this.#parts
    return new StateSource(this.#isFromEvents ? withoutSnapshots(store) : store, aggregate, codec)
  }

  #take(streamId: StreamId, atLeast: number, folded?: LoadedAggregate<unknown>): Promise<EncodedSnapshot> {
    const details = () => ({ attributes: { 'annals.stream': streamId } })
    return traced('snapshot', details, async (span) => {
      const snapshot = await this.#make(streamId, atLeast, folded)
      span?.set({ 'annals.version': snapshot.version, 'annals.snapshot.bytes': snapshot.state.length })
      return snapshot
    })
  }

  async #make(
    streamId: StreamId,
    atLeast: number,
    folded?: LoadedAggregate<unknown>,
  ): Promise<EncodedSnapshot> {
    const { metrics, aggregate } = this.#parts
    const startedMs = performance.now()
    const snapshot = await this.#source.snapshot(streamId, atLeast, folded)
    const buildMs = performance.now() - startedMs
    await this.#log.store(snapshot)
    metrics.taken(aggregate.type, buildMs, snapshot.state.length)
    return snapshot
  }

  /**
   * If the whole partition waits for an operator, its snapshots wait too. Otherwise only this stream has lost its head.
   * @throws LogError `events-deleted`
   */
  async #checkHead(): Promise<void> {
    const { index, reader, topic, partition } = this.#parts
    const { topicId } = await this.#parts.cluster.topic(topic)
    const startOffset = await reader.startOffset(topic, partition)
    const neededFrom = await missingHead(index, topicId, startOffset)
    if (neededFrom === undefined) return
    throw eventsDeleted({ topic, partition }, startOffset, 'its index', neededFrom)
  }

  #failed(streamId: StreamId, error: unknown): void {
    const { metrics, logger, aggregate } = this.#parts
    metrics.failed(aggregate.type)
    logger.warn({ streamId, reason: reasonOf(error) }, 'a snapshot cannot be taken and is skipped')
  }
}

const isEventsDeleted = (error: unknown): boolean =>
  error instanceof EventStoreError && error.code === 'events-deleted'
