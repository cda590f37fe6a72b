import { setTimeout as pause } from 'node:timers/promises'

import type { Config } from '#config'
import { eventTopic, repartitionJournal, repartitionTopic, snapshotTopic } from '#domain'
import { FencedLog, LogReader, type TopicDescription, Topics, type TopicSpec } from '#kafka'
import type { Connections } from '#service'

import { partitionIndex } from '../../partition-index.ts'
import { TopicJournal } from '../../topic-journal.ts'
import { copyByKey, type CopyParts, copyPartition, type CopyTarget, digestsOf } from './copy-records.ts'
import { awaitIdle, checkIdle } from './idle-groups.ts'
import { MoveError } from './move-error.ts'
import type { MoveState } from './move-state.ts'
import { sameDigests } from './record-digest.ts'

export interface RepartitionOptions {
  readonly aggregateType: string
  /** Undefined goes on with the move that is under way. */
  readonly partitions: number | undefined
  /** Records read or written, of {@link passes} times all of them. */
  readonly advance: (records: number) => void
  /** A service that was starting when the move began has joined its group after so long. */
  readonly settleMs: number
  readonly signal: AbortSignal
  /** Told of what is waited for. */
  readonly tell: (text: string) => void
}

export type Repartitioned = Pick<MoveState, 'from' | 'to'> & { readonly events: number }

/** Each event is copied beside its topic, compared, copied back, and compared. */
export const passes = 4

const messageBytesDefault = 1_048_588

/**
 * Moves an aggregate type's events to a topic of the same name with another number of partitions. The same again after a crash goes on; until the copy
 * beside the topic is whole and compared nothing is deleted. docs/decisions/0009 tells why it is done so.
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

  /** @throws MoveError, LogError, IndexUnavailableError; an AbortError when the signal aborts. */
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
   * Gives up a move that has deleted nothing yet.
   * @throws MoveError `no-move`, or `too-late` once the old topic is gone.
   */
  async abort(): Promise<void> {
    if (!(await this.#journal.exists())) throw noMove(this.#topic)
    const state = await this.#journal.read()
    const [topic] = await this.#topics.describe([this.#topic])
    if (state !== undefined && topic?.topicId !== state.sourceTopicId) {
      throw new MoveError(
        'too-late',
        `the old topic ${this.#topic} is gone already: run the move again without --abort, it goes on from the copy`,
      )
    }
    await this.#topics.delete(this.#staging)
    await this.#journal.delete()
  }

  async #begin(): Promise<MoveState> {
    const { partitions } = this.#options
    const known = await this.#journal.read()
    if (known !== undefined) {
      if (partitions === undefined || partitions === known.to) return this.#journal.write(known)
      throw new MoveError(
        'other-move',
        `${this.#topic} is being moved to ${known.to} partitions: finish that first, or give it up with --abort`,
      )
    }
    if (partitions === undefined) throw noMove(this.#topic)
    const plan = await planMove(this.#topics, this.#copy.reader, this.#options.aggregateType, partitions)
    await this.#journal.create(plan.replication)
    // Whoever starts from now on sees the journal and ends; whoever started before is in its group, or will be before anything is deleted.
    return this.#journal.write(plan)
  }

  async #stage(state: MoveState): Promise<MoveState> {
    const sourceEnds = await this.#fence(state)
    await this.#topics.delete(this.#staging)
    await this.#topics.ensure([spec(this.#staging, state)])
    const expected = await copyByKey(this.#topic, sourceEnds, this.#target(this.#staging, state), this.#copy)
    const copied = await digestsOf(this.#staging, state.to, this.#copy)
    if (!sameDigests(expected, copied)) throw this.#differs(this.#staging)
    return this.#journal.write({ ...state, phase: 'staged', sourceEnds, partitions: expected })
  }

  /** Nobody who owned a partition before can append any more. @returns where the partitions end. */
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

  /** @throws MoveError when somebody was at work after all. */
  async #checkUnchanged(state: MoveState): Promise<void> {
    await checkIdle(this.#connections.cluster, this.#config)
    for (const [partition, from] of (state.sourceEnds ?? []).entries()) {
      for await (const records of this.#copy.reader.read(this.#topic, partition, { from })) {
        if (records.length === 0) continue
        await this.#journal.write({ ...state, phase: 'copying' })
        throw new MoveError(
          'source-changed',
          `events were appended to partition ${partition} of ${this.#topic} after it was copied: stop whoever does that, then run this again. Nothing was deleted`,
        )
      }
    }
  }

  /** Snapshots, and what Redis holds, are of the old partitions: both are made anew by the services. */
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

  #differs(topic: string): MoveError {
    return new MoveError(
      'copy-differs',
      `what was copied to ${topic} is not what was read: nothing more is deleted. Run the move again; if it stays so, report it`,
    )
  }
}

const spec = (name: string, { to, replication, settings }: MoveState): TopicSpec => ({
  name,
  partitions: to,
  replication,
  configs: settings,
})

const noMove = (topic: string): MoveError =>
  new MoveError('no-move', `no move of ${topic} is under way: begin one with --partitions`)

/** @throws MoveError where there is nothing to move, or not everything. */
export async function planMove(
  topics: Topics,
  reader: LogReader,
  aggregateType: string,
  partitions: number,
): Promise<MoveState> {
  const name = eventTopic(aggregateType)
  const [topic] = await topics.describe([name])
  if (topic === undefined) throw new MoveError('no-topic', `there is no topic ${name}`)
  if (topic.partitions === partitions) {
    throw new MoveError('same-count', `${name} has ${partitions} partitions already`)
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

/** A log without its beginning cannot be moved: streams would begin in their middle. */
async function checkWhole({ name, partitions }: TopicDescription, reader: LogReader): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    const start = await reader.startOffset(name, partition)
    if (start === 0) continue
    throw new MoveError(
      'events-deleted',
      `partition ${partition} of ${name} begins at offset ${start}: older events are gone, \`annals verify\` tells more`,
    )
  }
}

/** How many records a move has to read, about. @throws LogError */
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
