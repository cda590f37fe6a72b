import { setTimeout as pause } from 'node:timers/promises'

import { type Consumer, Kafka } from 'kafkajs'

import type { KafkaCluster } from './cluster.ts'
import { firstJoin } from './first-join.ts'
import {
  type Assignment,
  type OwnersTable,
  partitionsOf,
  readOwners,
  stickyAssigner,
} from './group-protocol.ts'
import { groupClientConfig } from './settings.ts'
import { partitionKey, type TopicPartition } from './sticky-assignor.ts'

export interface OwnershipOptions {
  readonly cluster: KafkaCluster
  readonly groupId: string
  /** The topics whose partitions the group shares out; they must exist. */
  readonly topics: readonly string[]
  /** Where other members reach this one. */
  readonly advertisedUrl: string
  /** Partitions that are this member's from now on. Calls never overlap; awaited before the next one. */
  readonly onAssigned: (partitions: readonly TopicPartition[]) => Promise<void> | void
  /** Partitions that are another's from now on. What is not in it stays, also through a rebalance. */
  readonly onRevoked: (partitions: readonly TopicPartition[]) => Promise<void> | void
  /** Told of what went wrong; the membership goes on trying by itself. */
  readonly onProblem?: (error: unknown) => void
  /** How long a member may be silent before its partitions go to others; default 8,000, the broker's least is 6,000. */
  readonly sessionTimeoutMs?: number
  /** How long `start` tries; default 30,000. */
  readonly startTimeoutMs?: number
}

/** The next offset of a partition that is not dealt with yet. */
export interface NotedOffset extends TopicPartition {
  readonly offset: number
}

/** All partitions are paused, and a paused member looks for a rebalance only between its fetches, which wait this long. */
const noticeMs = 300
const heartbeatMs = 250
const rebalanceTimeoutMs = 5_000
const rejoinMs = 1_000

/** Membership with one client; `end` brings the reason when that client has given up. */
interface Joined {
  readonly end: Promise<unknown>
}

/**
 * Membership in the group that shares out partitions: liveness only. It may be wrong for a while, which the fence makes
 * harmless: an owner goes on serving until it is told otherwise here, or fenced. Nothing is fetched.
 */
export class Ownership {
  readonly #options: OwnershipOptions
  #consumer: Consumer | undefined
  #stopped = true
  #memberId = ''
  #owned: Assignment = {}
  #table: OwnersTable = new Map()
  #telling: Promise<void> = Promise.resolve()

  constructor(options: OwnershipOptions) {
    this.#options = options
  }

  /**
   * Joins the group; comes back when the first assignment is there.
   * @throws LogError `refused` when the broker will never let it in, `unavailable` when it could not join in time.
   */
  async start(): Promise<void> {
    const { groupId, startTimeoutMs = 30_000, onProblem = () => undefined } = this.#options
    this.#stopped = false
    const tries = { groupId, timeoutMs: startTimeoutMs, pauseMs: rejoinMs, onProblem }
    void this.#stayJoined(await firstJoin(tries, () => this.#join()))
  }

  /** Leaves the group at once, so that the others need not wait for the session to end. Tells of no revocation, and of nothing after it. */
  async stop(): Promise<void> {
    this.#stopped = true
    const consumer = this.#consumer
    this.#consumer = undefined
    await consumer?.disconnect()
    await this.#telling
    this.#owned = {}
  }

  /** What this member owns as far as the group knows. */
  get partitions(): readonly TopicPartition[] {
    return partitionsOf(this.#owned)
  }

  /** Who owns what; while the group is rebalancing, who did before. @throws LogError `unavailable` */
  async ownersTable(): Promise<OwnersTable> {
    const { cluster, groupId } = this.#options
    this.#table = (await readOwners(cluster, groupId)) ?? this.#table
    return this.#table
  }

  /**
   * Notes in the group how far this member has come, so that Kafka's tools can show it. A courtesy: nothing here goes by
   * it, and where it cannot be noted now, it is not.
   */
  async noteOffsets(offsets: readonly NotedOffset[]): Promise<void> {
    const noted = offsets.map(({ topic, partition, offset }) => ({
      topic,
      partition,
      offset: String(offset),
    }))
    await this.#consumer?.commitOffsets(noted).catch(() => undefined)
  }

  async #join(): Promise<Joined> {
    const consumer = this.#newConsumer()
    this.#consumer = consumer
    const joined = Promise.withResolvers<undefined>()
    const end = Promise.withResolvers<unknown>()
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      consumer.pause(this.#options.topics.map((topic) => ({ topic })))
      this.#memberId = payload.memberId
      this.#take(payload.memberAssignment)
      joined.resolve(undefined)
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => end.resolve(payload.error))
    const failed = end.promise.then((error) => Promise.reject(error as Error))
    failed.catch(() => undefined)
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: [...this.#options.topics] })
      await consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() })
      await Promise.race([joined.promise, failed])
    } catch (error) {
      await consumer.disconnect()
      throw error
    }
    return { end: end.promise }
  }

  #newConsumer(): Consumer {
    const { cluster, groupId, advertisedUrl, sessionTimeoutMs = 8_000 } = this.#options
    return new Kafka(groupClientConfig(cluster.settings)).consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      maxWaitTimeInMs: noticeMs,
      // Coming back is ours to do, so that there is one way and it never gives up.
      retry: { initialRetryTime: 100, retries: 5, restartOnFailure: () => Promise.resolve(false) },
      partitionAssigners: [
        stickyAssigner(() => ({ url: advertisedUrl, memberId: this.#memberId, owned: this.#owned })),
      ],
    })
  }

  /** Whenever the client gives up, joins with a fresh one, again and again. What was owned is still served meanwhile. */
  async #stayJoined(first: Joined): Promise<void> {
    let joined: Joined | undefined = first
    while (!this.#stopped) {
      if (joined !== undefined) this.#options.onProblem?.(await joined.end)
      await pause(rejoinMs)
      joined = await this.#rejoin()
    }
  }

  async #rejoin(): Promise<Joined | undefined> {
    if (this.#stopped) return undefined
    try {
      return await this.#join()
    } catch (error) {
      this.#options.onProblem?.(error)
      return undefined
    }
  }

  #take(assignment: Assignment): void {
    const before = new Map(this.partitions.map((partition) => [partitionKey(partition), partition]))
    this.#owned = assignment
    const after = new Map(this.partitions.map((partition) => [partitionKey(partition), partition]))
    const revoked = [...before].filter(([key]) => !after.has(key)).map(([, partition]) => partition)
    const assigned = [...after].filter(([key]) => !before.has(key)).map(([, partition]) => partition)
    this.#telling = this.#telling.then(() => this.#tell(revoked, assigned))
  }

  async #tell(revoked: readonly TopicPartition[], assigned: readonly TopicPartition[]): Promise<void> {
    try {
      if (revoked.length > 0) await this.#options.onRevoked(revoked)
      if (assigned.length > 0) await this.#options.onAssigned(assigned)
    } catch (error) {
      this.#options.onProblem?.(error)
    }
  }
}
