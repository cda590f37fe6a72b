import { setTimeout as pause } from 'node:timers/promises'

import type { Config } from '#config'
import { eventTopic, repartitionJournal, repartitionTopic, snapshotTopic } from '#domain'
import { FencedLog, LogReader, type TopicDescription, Topics, type TopicSpec } from '#kafka'
import type { Connections } from '#service'

import type { NoticeListener } from '../../job-control.ts'
import { partitionIndex } from '../../partition-index.ts'
import { TopicJournal } from '../../topic-journal.ts'
import { copyByKey, type CopyParts, copyPartition, type CopyTarget, digestsOf } from './copy-records.ts'
import { awaitIdle, checkIdle } from './idle-groups.ts'
import { OperationError } from '../../operation-error.ts'
import type { MoveState } from './move-state.ts'
import { sameDigests } from './record-digest.ts'

/** The options of a move. */
interface RepartitionOptions {
  readonly aggregateType: string
  /** Undefined resumes the move in progress. */
  readonly partitions: number | undefined
  /** Receives the number of records read or written. Each record is counted {@link passes} times. */
  readonly advance: (records: number) => void
  /** The time after which a service that was starting when the move started has joined its group. */
  readonly settleMs: number
  readonly signal: AbortSignal
  readonly notify: NoticeListener
}

export type Repartitioned = Pick<MoveState, 'from' | 'to'> & { readonly events: number }

/** Each event is copied to a second topic, compared, copied back, and compared. */
export const passes = 4

const messageBytesDefault = 1_048_588

/**
 * Moves the events of an aggregate type to a topic of the same name with another number of partitions. The same call resumes after a crash.
 * Nothing is deleted before the copy in the second topic is complete and compared. docs/decisions/0009 explains why.
 */
export class Repartition {
  readonly #connections: Connections
  readonly #config: Config
  readonly #options: RepartitionOptions
  readonly #topics: Topics
  readonly #journal: TopicJournal<MoveState>
  readonly #topic: string
  readonly #staging: string
  readonly #copy: CopyParts

  constructor(connections: Connections, config: Config, options: RepartitionOptions) {
    const { cluster } = connections
    const { aggregateType, advance, signal } = options
    this.#connections = connections
    this.#config = config
    this.#options = options
    this.#topics = new Topics(cluster)
    this.#journal = new TopicJournal(cluster, repartitionJournal(aggregateType))
    this.#topic = eventTopic(aggregateType)
    this.#staging = repartitionTopic(aggregateType)
    this.#copy = { cluster, reader: new LogReader(cluster), advance, signal }
  }

  /** @throws OperationError, LogError, IndexUnavailableError; an AbortError when the signal aborts. */
  async run(): Promise<Repartitioned> {
    await awaitIdle(this.#connections.cluster, this.#config, this.#options)
    let state = await this.#begin()
    if (state.phase === 'copying') state = await this.#stage(state)
    if (state.phase === 'staged') state = await this.#switch(state)
    await this.#cleanUp(state)
    const { from, to, partitions = [] } = state
    return { from, to, events: partitions.reduce((sum, { events }) => sum + events, 0) }
  }

  /**
   * Cancels a move that has deleted nothing yet.
   * @throws OperationError `no-move`, or `too-late` if the old topic is already deleted.
   */
  async abort(): Promise<void> {
    if (!(await this.#journal.exists())) throw noMove(this.#topic)
    const state = await this.#journal.read()
    const [topic] = await this.#topics.describe([this.#topic])
    if (state !== undefined && topic?.topicId !== state.sourceTopicId) {
      throw new OperationError(
        'too-late',
        `the old topic ${this.#topic} is already deleted: run the move again without --abort to resume it from the copy`,
      )
    }
    await this.#topics.delete(this.#staging)
    await this.#journal.delete()
  }

  async #begin(): Promise<MoveState> {
    const { partitions } = this.#options
    const known = await this.#journal.read()
    this.#options.signal.throwIfAborted()
    if (known !== undefined) {
      if (partitions === undefined || partitions === known.to) return this.#journal.write(known)
      throw new OperationError(
        'other-move',
        `${this.#topic} is being moved to ${known.to} partitions: finish that first, or cancel it with --abort`,
      )
    }
    if (partitions === undefined) throw noMove(this.#topic)
    const plan = await planMove(this.#topics, this.#copy.reader, this.#options.aggregateType, partitions)
    this.#options.signal.throwIfAborted()
    await this.#journal.create(plan.replication)
    // A service that starts from now on sees the journal and stops. One that started earlier joins its group before anything is deleted.
    return this.#journal.write(plan)
  }

  async #stage(state: MoveState): Promise<MoveState> {
    this.#options.signal.throwIfAborted()
    const sourceEnds = await this.#fence(state)
    await this.#topics.delete(this.#staging)
    await this.#topics.ensure([spec(this.#staging, state)])
    const expected = await copyByKey(this.#topic, sourceEnds, this.#target(this.#staging, state), this.#copy)
    const copied = await digestsOf(this.#staging, state.to, this.#copy)
    if (!sameDigests(expected, copied)) throw this.#differs(this.#staging)
    return this.#journal.write({ ...state, phase: 'staged', sourceEnds, partitions: expected })
  }

  /** Fences all earlier owners of the partitions. @returns the end of each partition. */
  async #fence({ from }: MoveState): Promise<readonly number[]> {
    const ends: number[] = []
    for (let partition = 0; partition < from; partition++) {
      const log = new FencedLog(this.#connections.cluster, this.#topic, partition)
      const { endOffset } = await log.takeOver()
      log.close()
      ends.push(endOffset)
    }
    return ends
  }

  async #switch(state: MoveState): Promise<MoveState> {
    const { signal, settleMs } = this.#options
    const [present] = await this.#topics.describe([this.#topic])
    if (present?.topicId === state.sourceTopicId) {
      const leftMs = state.startedAtMs + settleMs - Date.now()
      if (leftMs > 0) await pause(leftMs, undefined, { signal })
      await this.#checkUnchanged(state)
      signal.throwIfAborted()
      await this.#topics.delete(this.#topic)
    }
    await this.#topics.ensure([spec(this.#topic, state)])
    const target = this.#target(this.#topic, state)
    for (let partition = 0; partition < state.to; partition++) {
      await copyPartition(this.#staging, target, partition, this.#copy)
    }
    const copied = await digestsOf(this.#topic, state.to, this.#copy)
    if (!sameDigests(state.partitions ?? [], copied)) throw this.#differs(this.#topic)
    return this.#journal.write({ ...state, phase: 'moved' })
  }

  /** @throws OperationError if a service is running, or events were appended since the copy. */
  async #checkUnchanged(state: MoveState): Promise<void> {
    await checkIdle(this.#connections.cluster, this.#config)
    for (const [partition, from] of (state.sourceEnds ?? []).entries()) {
      for await (const records of this.#copy.reader.read(this.#topic, partition, { from })) {
        if (records.length === 0) continue
        await this.#journal.write({ ...state, phase: 'copying' })
        throw new OperationError(
          'source-changed',
          `events were appended to partition ${partition} of ${this.#topic} after it was copied: stop the process that appends, then run this again. Nothing was deleted`,
        )
      }
    }
  }

  /** Snapshots and the index belong to the old partitions. The services rebuild both. */
  async #cleanUp({ aggregateType, from, to }: MoveState): Promise<void> {
    await this.#topics.delete(snapshotTopic(aggregateType))
    for (let partition = 0; partition < Math.max(from, to); partition++) {
      const place = { topic: this.#topic, partition, aggregateType }
      await partitionIndex(this.#config, this.#connections.redis, place).drop()
    }
    await this.#topics.delete(this.#staging)
    await this.#journal.delete()
  }

  #target(topic: string, { to, settings }: MoveState): CopyTarget {
    const messageBytesMax = Number(settings['max.message.bytes'] ?? messageBytesDefault)
    return { topic, partitions: to, messageBytesMax }
  }

  #differs(topic: string): OperationError {
    return new OperationError(
      'copy-differs',
      `the copy in ${topic} differs from what was read: nothing more is deleted. Run the move again; if that fails too, report it`,
    )
  }
}

const spec = (name: string, { to, replication, settings }: MoveState): TopicSpec => ({
  name,
  partitions: to,
  replication,
  configs: settings,
})

const noMove = (topic: string): OperationError =>
  new OperationError('no-move', `no move of ${topic} is in progress: start one with --partitions`)

/** @throws OperationError if the topic does not exist, already has this number of partitions, or has lost its head. */
export async function planMove(
  topics: Topics,
  reader: LogReader,
  aggregateType: string,
  partitions: number,
): Promise<MoveState> {
  const name = eventTopic(aggregateType)
  const [topic] = await topics.describe([name])
  if (topic === undefined) throw new OperationError('no-topic', `topic ${name} does not exist`)
  if (topic.partitions === partitions) {
    throw new OperationError('same-count', `${name} already has ${partitions} partitions`)
  }
  await checkWhole(topic, reader)
  return {
    phase: 'copying',
    aggregateType,
    from: topic.partitions,
    to: partitions,
    sourceTopicId: topic.topicId,
    replication: topic.replication,
    settings: await topics.ownSettings(name),
    startedAtMs: Date.now(),
  }
}

/** A log without its head cannot be moved: its streams are incomplete. */
async function checkWhole({ name, partitions }: TopicDescription, reader: LogReader): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    const start = await reader.startOffset(name, partition)
    if (start === 0) continue
    throw new OperationError(
      'events-deleted',
      `partition ${partition} of ${name} starts at offset ${start}: older events are lost. See \`annals verify\``,
    )
  }
}

/** The approximate number of records that a move reads. @throws LogError */
export async function eventCount(
  { cluster }: Pick<Connections, 'cluster'>,
  aggregateType: string,
): Promise<number> {
  const reader = new LogReader(cluster)
  const topics = await new Topics(cluster).describe([
    eventTopic(aggregateType),
    repartitionTopic(aggregateType),
  ])
  const counts = topics.map(async ({ name, partitions }) => {
    const ends = Array.from({ length: partitions }, (_, partition) => reader.endOffset(name, partition))
    return (await Promise.all(ends)).reduce((sum, end) => sum + end, 0)
  })
  return Math.max(0, ...(await Promise.all(counts)))
}
