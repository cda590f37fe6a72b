import { pause } from '#async'
import { partitionKey, type StreamId } from '#domain'
import type { WaitingPartition } from '#event-log'
import type { SnapshotTaken } from '#event-store'
import type { FencedLog, Followed, KafkaCluster } from '#kafka'
import {
  type OwnedPartition,
  Renewal,
  type TermContext,
  TermLoop,
  type TermWork,
  unavailable,
} from '#ownership'

import {
  advanced,
  type CheckpointState,
  type CheckpointStore,
  isRebuilding,
  withProgress,
} from './checkpoint.ts'
import { OwnedCheckpoint } from './owned-checkpoint.ts'
import { callersError, reasonOf } from './passing-errors.ts'
import { settled } from './settled.ts'
import { SnapshotTerm, type SnapshotTermParts } from './snapshot-term.ts'
import { Spans, type SpansParts } from './spans.ts'

export interface SnapshotPartitionSettings {
  /** Aggregates that are loaded concurrently. */
  readonly loadsMax: number
  readonly cleanupIntervalMs: number
  readonly fenceRenewalMs: number
}

export interface SnapshotPartitionParts extends SnapshotTermParts, Pick<SpansParts, 'format' | 'memory'> {
  readonly cluster: Pick<KafkaCluster, 'topic' | 'checkHeld'>
  readonly checkpoint: CheckpointStore
  /** Opens a fenced log of the partition of snapshots. A log ends with its term, so each term opens one. */
  readonly openLog: () => FencedLog
  readonly settings: SnapshotPartitionSettings
}

/** One term: the work behind its fence, and its checkpoint. */
interface Term {
  readonly epoch: number
  readonly work: SnapshotTerm
  readonly checkpoint: OwnedCheckpoint
  readonly renewal: Renewal
  readonly spans: Spans
}

/** Interval at which an idle owner checks that its checkpoint was not moved. */
const lookMs = 1_000
/** At the end of the log, events are collected for this time: snapshots are not urgent, and few large steps cost less. */
const gatherMs = 50
/** Interval at which an owner with an old state version checks whether it still has to wait. */
const newerPauseMs = 10_000

/**
 * Takes the snapshots of one owned partition. The checkpoint decides: the owner continues where it was moved to, whether
 * it was removed (Redis was emptied) or reset (a rebuild was requested). All its work is idempotent.
 */
export class PartitionSnapshotter implements OwnedPartition, TermWork<Term> {
  readonly topic: string
  readonly partition: number
  readonly #parts: SnapshotPartitionParts
  readonly #loop: TermLoop<Term>
  #lagEvents = 0
  #confirmedAtMs = performance.now()
  #cleanUpAtMs: number

  constructor(parts: SnapshotPartitionParts) {
    const { topic, partition, settings, logger } = parts
    this.#parts = parts
    this.topic = topic
    this.partition = partition
    const name = `snapshots of ${this.#name}`
    this.#loop = new TermLoop({ place: { topic, partition }, name, work: this, logger })
    // Spreads the reads of the owners.
    this.#cleanUpAtMs = performance.now() + Math.random() * settings.cleanupIntervalMs
  }

  /** Whether it has taken over and everything it needs is available. */
  get isServing(): boolean {
    return this.#loop.isServing
  }

  get waiting(): WaitingPartition | undefined {
    return this.#loop.waiting
  }

  /** Offsets up to the end of the log that are not processed; 0: caught up. */
  get lagEvents(): number {
    return this.#lagEvents
  }

  /** Milliseconds since the checkpoint was last moved or verified. */
  get checkpointAgeMs(): number {
    return performance.now() - this.#confirmedAtMs
  }

  start(): void {
    this.#loop.start()
  }

  /** Finishes the snapshots in progress. */
  stop(): Promise<void> {
    return this.#loop.stop()
  }

  /** Takes a snapshot now. @throws EventStoreError `stream-not-found`, `invalid-state`, `unavailable` */
  take(streamId: StreamId): Promise<SnapshotTaken> {
    return this.#inTerm((term) => term.take(streamId))
  }

  /** Removes snapshots of other state versions from the topic. @returns their number. @throws EventStoreError `unavailable` */
  cleanUp(): Promise<number> {
    return this.#inTerm((term) => term.cleanUp())
  }

  async #inTerm<T>(work: (term: SnapshotTerm) => Promise<T>): Promise<T> {
    const { namedState, term } = this.#loop
    if (namedState !== undefined) throw namedState
    if (term?.checkpoint.isHeld !== true) {
      throw unavailable(`the snapshots of ${this.#name} are being taken over`)
    }
    return work(term.work).catch((error: unknown) => {
      throw callersError(error)
    })
  }

  get #name(): string {
    return partitionKey(this)
  }

  checkLog(): void {
    this.#parts.cluster.checkHeld(this.topic)
  }

  async prepare(): Promise<void> {
    await this.#parts.checkpoint.read()
  }

  async takeOver(): Promise<Term> {
    const { checkpoint, openLog, settings } = this.#parts
    const log = openLog()
    const { epoch } = await log.takeOver()
    const work = new SnapshotTerm(this.#parts, log)
    return {
      epoch,
      work,
      checkpoint: new OwnedCheckpoint(checkpoint, work.id, this.#name),
      renewal: new Renewal(settings.fenceRenewalMs),
      spans: new Spans({ ...this.#parts, onForeign: (...foreign) => this.#foreignRecord(...foreign) }),
    }
  }

  describe({ epoch }: Term): object {
    return { epoch }
  }

  async catchUp(term: Term, context: TermContext): Promise<void> {
    while (!context.signal.aborted && !(await this.#claim(term, context)));
  }

  end({ work, spans }: Term): void {
    spans.close()
    work.close()
  }

  /**
   * Claims the checkpoint for this term. Without one for this log and state version it starts at the start of the log.
   * @returns false if the claim must be retried.
   */
  async #claim({ checkpoint, work, spans }: Term, context: TermContext): Promise<boolean> {
    const { aggregate, cluster, topic } = this.#parts
    const stored = await checkpoint.look()
    const { topicId } = await cluster.topic(topic)
    if (stored?.topicId === topicId && stored.stateVersion > aggregate.snapshot.stateVersion) {
      checkpoint.release()
      await this.#waitForOlder(stored.stateVersion, context)
      return false
    }
    if (!(await checkpoint.claim(await this.#startingAt(topicId, stored)))) return false
    work.goOnFrom(checkpoint.state, checkpoint.wasMoved)
    if (checkpoint.wasMoved) spans.startAt(checkpoint.state.nextOffset)
    // The topic may contain snapshots of a log that was replaced.
    if (stored?.topicId !== topicId) this.#cleanUpAtMs = 0
    return true
  }

  /** Waits while another instance runs a newer domain module, whose snapshots must not be overwritten by older ones. */
  async #waitForOlder(stateVersion: number, { serving, signal }: TermContext): Promise<void> {
    const { logger, aggregate } = this.#parts
    const own = aggregate.snapshot.stateVersion
    logger.warn(
      `${this.#name} has snapshots of state version ${stateVersion}, but this instance has state version ${own}: it takes none`,
    )
    serving()
    await pause(newerPauseMs, signal)
  }

  async #startingAt(
    topicId: string,
    stored: CheckpointState | undefined,
  ): Promise<Omit<CheckpointState, 'owner'>> {
    const { reader, topic, partition, aggregate, logger } = this.#parts
    const { stateVersion } = aggregate.snapshot
    const start = await reader.startOffset(topic, partition)
    const end = await reader.endOffset(topic, partition)
    const isSame = stored?.topicId === topicId && stored.stateVersion === stateVersion
    if (isSame && stored.nextOffset >= start && stored.nextOffset <= end) return stored
    logger.info(`the snapshots of ${this.#name} restart at offset ${start}`)
    return { topicId, stateVersion, nextOffset: start }
  }

  /** Follows the log from the checkpoint until another process moves it. */
  async serve(term: Term, context: TermContext): Promise<void> {
    const { reader, topic, partition, memory } = this.#parts
    // Snapshots that could not be taken fill the memory: nothing more is read before they are.
    if (memory.isFull && !(await this.#take(term, context.signal))) return
    const left = new AbortController()
    const signal = AbortSignal.any([context.signal, left.signal])
    const pieces = reader.follow(topic, partition, term.spans.current.nextOffset, signal)
    try {
      while (!context.signal.aborted) {
        const next = pieces.next()
        if (!(await this.#attend(term, settled(next)))) return
        const piece = await next
        if (piece.done === true || !(await this.#advance(term, piece.value, context))) return
        await this.#upkeep(term)
        if (this.#lagEvents === 0) await pause(gatherMs, signal)
      }
    } finally {
      left.abort()
      // The reader holds a connection until it is ended explicitly.
      await pieces.return()
    }
  }

  /** Maintains the term until there are records. @returns whether the checkpoint was not moved. */
  async #attend(term: Term, arrived: AbortSignal): Promise<boolean> {
    for (;;) {
      await pause(lookMs, arrived)
      if (arrived.aborted) return true
      if (!(await this.#look(term))) return false
      await this.#upkeep(term)
    }
  }

  /** @returns whether the checkpoint was not moved. */
  async #look({ checkpoint }: Term): Promise<boolean> {
    if (!(await checkpoint.isAsLeft())) return false
    this.#confirmedAtMs = performance.now()
    return true
  }

  /** @returns whether the checkpoint was not moved by another process. */
  async #advance(term: Term, piece: Followed, { signal, serving }: TermContext): Promise<boolean> {
    const { checkpoint, spans } = term
    this.#lagEvents = piece.highWatermark - checkpoint.state.nextOffset
    await spans.current.read(piece)
    const mustTake = spans.mustTake(checkpoint.state, piece)
    if (!(await (mustTake ? this.#take(term, signal) : this.#confirm(term)))) return false
    this.#lagEvents = piece.highWatermark - checkpoint.state.nextOffset
    serving()
    return true
  }

  /** Takes the snapshots that are due, then moves the checkpoint. @returns whether it was moved. */
  async #take({ checkpoint, work, spans }: Term, signal: AbortSignal): Promise<boolean> {
    await work.takeDue(spans.current, signal)
    if (!(await this.#move(checkpoint, advanced(checkpoint.state, spans.current.nextOffset)))) return false
    work.goOnFrom(checkpoint.state, false)
    spans.next()
    return true
  }

  /** Reports progress at intervals. @returns whether the checkpoint was not moved by another process. */
  #confirm(term: Term): boolean | Promise<boolean> {
    if (this.checkpointAgeMs < lookMs) return true
    const { checkpoint, spans } = term
    if (!isRebuilding(checkpoint.state)) return this.#look(term)
    return this.#move(checkpoint, withProgress(checkpoint.state, spans.current.nextOffset))
  }

  async #move(checkpoint: OwnedCheckpoint, state: CheckpointState): Promise<boolean> {
    if (!(await checkpoint.move(state))) return false
    this.#confirmedAtMs = performance.now()
    return true
  }

  #foreignRecord(offset: number, error: unknown): void {
    const { logger, metrics, aggregate } = this.#parts
    metrics.failed(aggregate.type)
    logger.warn(
      { reason: reasonOf(error) },
      `${this.#name}: the record at offset ${offset} is not an event and is skipped`,
    )
  }

  async #upkeep(term: Term): Promise<void> {
    const { settings, logger } = this.#parts
    const nowMs = performance.now()
    if (term.renewal.isDue()) {
      await term.work.renewFence()
      term.renewal.renewed()
    }
    if (nowMs >= this.#cleanUpAtMs) {
      const removed = await term.work.cleanUp()
      this.#cleanUpAtMs = nowMs + settings.cleanupIntervalMs
      if (removed > 0) logger.info(`removed ${removed} outdated snapshots of ${this.#name} from their topic`)
    }
  }
}
