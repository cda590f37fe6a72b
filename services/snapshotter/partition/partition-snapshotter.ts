import { pause, settled } from '#async'
import type { StreamId } from '#domain'
import type { WaitingPartition } from '#event-log'
import type { SnapshotTaken } from '#event-store'
import { type FencedLog, type Followed, type KafkaCluster, LogError, TakeOverPace } from '#kafka'

import { advanced, type CheckpointState, type CheckpointStore } from './checkpoint.ts'
import { dueStreams } from './due-streams.ts'
import { OwnedCheckpoint } from './owned-checkpoint.ts'
import { callersError, reasonOf, unavailable } from './passing-errors.ts'
import { Standing } from './standing.ts'
import { SnapshotTerm, type SnapshotTermParts } from './snapshot-term.ts'

export interface PartitionSettings {
  /** Aggregates that are loaded at once. */
  readonly loadsMax: number
  readonly cleanupIntervalMs: number
  readonly fenceRenewalMs: number
}

export interface PartitionParts extends SnapshotTermParts {
  readonly cluster: Pick<KafkaCluster, 'topic' | 'checkHeld'>
  readonly checkpoint: CheckpointStore
  /** A fenced log of the snapshots' partition; dead for good once fenced, so each term opens one of its own. */
  readonly openLog: () => FencedLog
  readonly settings: PartitionSettings
}

/** One term of this owner: what it does behind its fence, and how far it is. */
interface Term {
  readonly work: SnapshotTerm
  readonly checkpoint: OwnedCheckpoint
  renewAtMs: number
}

/** How often an idle owner looks whether its checkpoint still is what it believes. */
const lookMs = 1_000
/** At the end of the log events gather for so long: a snapshot need not be taken at once, and few large steps cost less. */
const gatherMs = 50
/** How long a fenced owner waits to be told that the partition is not its own any more, before it takes over anew. */
const fencedPauseMs = 3_000
/** How often an owner that is out of date looks whether it still is. */
const newerPauseMs = 10_000

/**
 * Takes the snapshots of one owned partition, until it is stopped. The checkpoint decides: wherever somebody has put it (nowhere: Redis was
 * emptied; back: a rebuild is wanted), there the owner goes on. All its work may be done twice.
 */
export class PartitionSnapshotter {
  readonly topic: string
  readonly partition: number
  readonly #parts: PartitionParts
  readonly #stopping = new AbortController()
  readonly #pace = new TakeOverPace()
  readonly #standing: Standing
  #term: Term | undefined
  #lagEvents = 0
  #confirmedAtMs = performance.now()
  #cleanUpAtMs: number
  #life: Promise<void> | undefined

  constructor(parts: PartitionParts) {
    this.#parts = parts
    this.topic = parts.topic
    this.partition = parts.partition
    this.#standing = new Standing(parts, parts.logger)
    // Owners do not all read their topics at once.
    this.#cleanUpAtMs = performance.now() + Math.random() * parts.settings.cleanupIntervalMs
  }

  /** Whether it has taken over, and nothing that it needs is away. */
  get isServing(): boolean {
    return this.#standing.isServing
  }

  /** Set while the partition waits for an operator. */
  get waiting(): WaitingPartition | undefined {
    return this.#standing.waiting
  }

  /** Offsets up to the end of the log that have not been looked at; 0: caught up. */
  get lagEvents(): number {
    return this.#lagEvents
  }

  /** Since the checkpoint was last moved, or found to be where it was left. */
  get checkpointAgeMs(): number {
    return performance.now() - this.#confirmedAtMs
  }

  start(): void {
    this.#life = this.#live()
  }

  /** Ends after the snapshots under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#life
  }

  /** Takes a snapshot now. @throws EventStoreError `stream-not-found`, `invalid-state`, `unavailable` */
  take(streamId: StreamId): Promise<SnapshotTaken> {
    return this.#inTerm((term) => term.take(streamId))
  }

  /** @returns how many snapshots of other state versions were taken out of the topic. @throws EventStoreError `unavailable` */
  cleanUp(): Promise<number> {
    return this.#inTerm((term) => term.cleanUp())
  }

  async #inTerm<T>(work: (term: SnapshotTerm) => Promise<T>): Promise<T> {
    if (this.#standing.named !== undefined) throw this.#standing.named
    if (this.#term?.checkpoint.isHeld !== true) {
      throw unavailable(`the snapshots of ${this.#name} are being taken over`)
    }
    return work(this.#term.work).catch((error: unknown) => {
      throw callersError(error)
    })
  }

  get #name(): string {
    return `${this.topic}/${this.partition}`
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
        this.#term = await this.#takeOver()
        await this.#serve(this.#term)
      } catch (error) {
        this.#endTerm()
        await this.#recover(error)
      }
    }
    this.#endTerm()
  }

  async #takeOver(): Promise<Term> {
    const { checkpoint, cluster, openLog, settings, logger } = this.#parts
    cluster.checkHeld(this.topic)
    await pause(this.#pace.waitMs, this.#signal)
    this.#signal.throwIfAborted()
    // A term costs the log a marker, and one of 32,750 epochs: none is begun while there is no Redis to work with.
    await checkpoint.read()
    this.#pace.spend()
    const log = openLog()
    const { epoch } = await log.takeOver()
    const work = new SnapshotTerm(this.#parts, log)
    logger.info({ epoch }, `took over the snapshots of ${this.#name}`)
    return {
      work,
      checkpoint: new OwnedCheckpoint(checkpoint, work.id, this.#name),
      renewAtMs: performance.now() + settings.fenceRenewalMs,
    }
  }

  #endTerm(): void {
    this.#term?.work.close()
    this.#term = undefined
    this.#standing.ends()
  }

  async #recover(error: unknown): Promise<void> {
    if (this.#isStopping()) return
    if (!isFenced(error)) return this.#backOff(error)
    this.#parts.logger.warn({ reason: reasonOf(error) }, `another snapshotter owns ${this.#name} now`)
    await pause(fencedPauseMs, this.#signal)
  }

  async #backOff(error: unknown): Promise<void> {
    await pause(this.#standing.failed(error), this.#signal)
  }

  /** @throws LogError that ends the term. */
  async #serve(term: Term): Promise<void> {
    while (!this.#isStopping()) {
      try {
        if (await this.#claim(term)) await this.#follow(term)
      } catch (error) {
        if (this.#isStopping()) return
        if (endsTerm(error)) throw error
        await this.#backOff(error)
      }
    }
  }

  /**
   * Makes the checkpoint this term's own, wherever it stands; where there is none for this log and state version, at the log's beginning.
   * @returns false where it has to be tried again.
   */
  async #claim({ checkpoint, work }: Term): Promise<boolean> {
    const { aggregate, cluster, topic } = this.#parts
    const stored = await checkpoint.look()
    const { topicId } = await cluster.topic(topic)
    if (stored?.topicId === topicId && stored.stateVersion > aggregate.snapshot.stateVersion) {
      checkpoint.release()
      await this.#waitForOlder(stored.stateVersion)
      return false
    }
    if (!(await checkpoint.claim(await this.#startingAt(topicId, stored)))) return false
    work.goOnFrom(checkpoint.state, checkpoint.wasMoved)
    // The topic may hold snapshots of a log that is gone.
    if (stored?.topicId !== topicId) this.#cleanUpAtMs = 0
    return true
  }

  /** A newer domain module is at work elsewhere: its snapshots must not be overwritten by older ones. */
  async #waitForOlder(stateVersion: number): Promise<void> {
    const { logger, aggregate } = this.#parts
    const own = aggregate.snapshot.stateVersion
    logger.warn(
      `${this.#name} has snapshots of state version ${stateVersion}, and state version ${own} is known here: taking none`,
    )
    this.#standing.rests()
    await pause(newerPauseMs, this.#signal)
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
    logger.info(`the snapshots of ${this.#name} begin anew at offset ${start}`)
    return { topicId, stateVersion, nextOffset: start }
  }

  /** Follows the log from the checkpoint, until somebody moves that. */
  async #follow(term: Term): Promise<void> {
    const { reader, topic, partition } = this.#parts
    const left = new AbortController()
    const signal = AbortSignal.any([this.#signal, left.signal])
    const pieces = reader.follow(topic, partition, term.checkpoint.state.nextOffset, signal)
    try {
      while (!this.#isStopping()) {
        const next = pieces.next()
        if (!(await this.#attend(term, settled(next)))) return
        const piece = await next
        if (piece.done === true || !(await this.#advance(term, piece.value))) return
        await this.#upkeep(term)
        if (this.#lagEvents === 0) await pause(gatherMs, signal)
      }
    } finally {
      left.abort()
      // It holds a connection, which it gives back only when it is asked to end.
      await pieces.return()
    }
  }

  /** Looks after the term until there is something to do. @returns whether the checkpoint is where it was left. */
  async #attend(term: Term, arrived: AbortSignal): Promise<boolean> {
    for (;;) {
      await pause(lookMs, arrived)
      if (arrived.aborted) return true
      if (!(await this.#look(term))) return false
      await this.#upkeep(term)
    }
  }

  /** @returns whether the checkpoint is where it was left. */
  async #look({ checkpoint }: Term): Promise<boolean> {
    if (!(await checkpoint.isAsLeft())) return false
    this.#confirmedAtMs = performance.now()
    return true
  }

  /** @returns whether the checkpoint could be moved past this piece of the log. */
  async #advance({ checkpoint, work }: Term, piece: Followed): Promise<boolean> {
    const { records, nextOffset, highWatermark } = piece
    const { every } = this.#parts.aggregate.snapshot
    this.#lagEvents = highWatermark - checkpoint.state.nextOffset
    const due = dueStreams(this.topic, records, every, (offset, error) => this.#foreignRecord(offset, error))
    await work.takeDue(due, this.#signal)
    if (!(await checkpoint.move(advanced(checkpoint.state, nextOffset)))) return false
    work.goOnFrom(checkpoint.state, false)
    this.#lagEvents = highWatermark - nextOffset
    this.#confirmedAtMs = performance.now()
    this.#standing.works()
    return true
  }

  #foreignRecord(offset: number, error: unknown): void {
    const { logger, metrics, aggregate } = this.#parts
    metrics.failed(aggregate.type)
    logger.warn(
      { reason: reasonOf(error) },
      `${this.#name} holds no event at offset ${offset}: passing over it`,
    )
  }

  async #upkeep(term: Term): Promise<void> {
    const { settings, logger } = this.#parts
    const nowMs = performance.now()
    if (nowMs >= term.renewAtMs) {
      await term.work.renewFence()
      term.renewAtMs = nowMs + settings.fenceRenewalMs
    }
    if (nowMs >= this.#cleanUpAtMs) {
      const removed = await term.work.cleanUp()
      this.#cleanUpAtMs = nowMs + settings.cleanupIntervalMs
      if (removed > 0) logger.info(`took ${removed} outdated snapshots of ${this.#name} out of their topic`)
    }
  }
}

const isFenced = (error: unknown): boolean => error instanceof LogError && error.outcome === 'fenced'

const endsTerm = (error: unknown): boolean =>
  error instanceof LogError && ['fenced', 'unknown', 'take-over', 'log-replaced'].includes(error.outcome)
