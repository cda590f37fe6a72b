import { randomUUID } from 'node:crypto'

import type { Logger } from 'pino'

import { inParallel } from '#async'
import type { AggregateStore, StreamId, Version } from '#domain'
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
import { type SnapshotAggregate, StateSource, withoutSnapshots } from './state-source.ts'

export interface SnapshotTermParts {
  readonly aggregate: SnapshotAggregate
  /** The event topic. */
  readonly topic: string
  readonly partition: number
  readonly cluster: Pick<KafkaCluster, 'topic'>
  /** Where aggregates are loaded from. */
  readonly store: AggregateStore
  readonly codec: EventCodec
  readonly index: PartitionIndex
  readonly reader: LogReader
  readonly settings: { readonly loadsMax: number }
  readonly metrics: SnapshotterMetrics
  readonly logger: Logger
}

/** So many of a cleanup's records wait for their append at once. */
const removalsMax = 1_000

/** What one owner of a partition does behind its fence: takes snapshots, and takes outdated ones out. */
export class SnapshotTerm {
  readonly id = randomUUID()
  readonly #parts: SnapshotTermParts
  readonly #log: SnapshotLog
  #source: StateSource
  #isFromEvents = false
  #topicId: string | undefined

  /** @param log taken over. */
  constructor(parts: SnapshotTermParts, log: FencedLog) {
    this.#parts = parts
    this.#log = new SnapshotLog(log, parts.index)
    this.#source = this.#newSource()
  }

  /** States come from events alone while a rebuild goes on. @param isMoved what was stored before is to be stored again. */
  goOnFrom(state: CheckpointState, isMoved: boolean): void {
    this.#topicId = state.topicId
    this.#log.foldsFrom(state.topicId)
    if (isMoved) this.#log.forget()
    if (!isMoved && this.#isFromEvents === isRebuilding(state)) return
    this.#isFromEvents = isRebuilding(state)
    this.#source = this.#newSource()
  }

  /**
   * Takes a snapshot of each of these streams. What is wrong with one is counted, logged, and holds up none of the others.
   * @throws what {@link isPassing}: then some are to be taken again; or the signal's reason.
   */
  takeDue(due: ReadonlyMap<StreamId, Version>, signal: AbortSignal): Promise<void> {
    const take = async ([streamId, version]: readonly [StreamId, Version]) => {
      if (this.#log.newest(streamId) >= version) return
      try {
        await this.#take(streamId, version)
      } catch (error) {
        if (isPassing(error)) throw error
        if (isEventsDeleted(error)) await this.#checkHead()
        this.#failed(streamId, error)
      }
    }
    return inParallel(due, this.#parts.settings.loadsMax, take, signal)
  }

  /** @throws EventStoreError `stream-not-found`, `invalid-state`; LogError `refused`; what {@link isPassing}. */
  async take(streamId: StreamId): Promise<SnapshotTaken> {
    const startedMs = performance.now()
    const before = this.#log.newest(streamId)
    const { version, stateVersion, state } = await this.#take(streamId, 0)
    const tookMs = Math.round(performance.now() - startedMs)
    return { streamId, version, stateVersion, bytes: state.length, tookMs, created: version > before }
  }

  /** Takes snapshots of other state versions, and of other event topics, out of the topic. @returns how many. @throws LogError */
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

  #newSource(): StateSource {
    const { store, aggregate, codec } = this.#parts
    return new StateSource(this.#isFromEvents ? withoutSnapshots(store) : store, aggregate, codec)
  }

  #take(streamId: StreamId, atLeast: number): Promise<EncodedSnapshot> {
    const details = () => ({ attributes: { 'annals.stream': streamId } })
    return traced('snapshot', details, async (span) => {
      const snapshot = await this.#make(streamId, atLeast)
      span?.set({ 'annals.version': snapshot.version, 'annals.snapshot.bytes': snapshot.state.length })
      return snapshot
    })
  }

  async #make(streamId: StreamId, atLeast: number): Promise<EncodedSnapshot> {
    const { metrics, aggregate } = this.#parts
    const startedMs = performance.now()
    const snapshot = await this.#source.snapshot(streamId, atLeast)
    const buildMs = performance.now() - startedMs
    await this.#log.store(snapshot)
    metrics.taken(aggregate.type, buildMs, snapshot.state.length)
    return snapshot
  }

  /**
   * Where the whole partition waits for an operator, its snapshots wait as well; else only the stream has lost its head.
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
    logger.warn({ streamId, reason: reasonOf(error) }, 'a snapshot cannot be taken: going on without it')
  }
}

const isEventsDeleted = (error: unknown): boolean =>
  error instanceof EventStoreError && error.code === 'events-deleted'
