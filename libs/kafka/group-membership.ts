import { randomUUID } from 'node:crypto'

import { type Consumer, Kafka } from 'kafkajs'

import { pause } from '#async'

import type { KafkaCluster } from './cluster.ts'
import { firstJoin } from './first-join.ts'
import type { Assignment } from './group-member.ts'
import {
  assignmentOf,
  type ForeignMember,
  type GroupTable,
  partitionsOf,
  readGroup,
  stickyAssigner,
} from './group-protocol.ts'
import { LeftOutError } from './left-out-error.ts'
import { anyPeerUrl, type PeerUrlCheck } from './peer-url.ts'
import { type GroupView, Peers, type RoutingTable, type VerifyPeer } from './peers.ts'
import { groupClientConfig } from './settings.ts'
import { partitionKey, type TopicPartition } from '#domain'

export interface GroupMembershipOptions {
  readonly cluster: KafkaCluster
  readonly groupId: string
  /** The topics whose partitions the group distributes; they must exist. */
  readonly topics: readonly string[]
  /** Where other members reach this one. */
  readonly advertisedUrl: string
  /** Called with newly assigned partitions. Calls never overlap; each is awaited before the next one. */
  readonly onAssigned: (partitions: readonly TopicPartition[]) => Promise<void> | void
  /** Called with partitions that this member no longer owns. It keeps all others, even during a rebalance. */
  readonly onRevoked: (partitions: readonly TopicPartition[]) => Promise<void> | void
  /** Verifies the address of a member before partitions are assigned to it and requests are sent there. Default: all are trusted. */
  readonly verifyPeer?: VerifyPeer
  /** Says why a URL of a member is not allowed, so that nothing is sent there. Default: all of HTTP are. */
  readonly checkPeerUrl?: PeerUrlCheck
  /**
   * The partitions that this member owns ahead of the group. It asks to keep them at each rebalance. Default: it takes none over
   * early, and others do not count on it.
   */
  readonly early?: () => readonly TopicPartition[]
  /** Called with foreign members: all of them, and the newly seen ones. They get no partitions. */
  readonly onForeign?: (foreign: readonly ForeignMember[], fresh: readonly ForeignMember[]) => void
  /** Called with each problem. The membership retries without help. */
  readonly onProblem?: (error: unknown) => void
  /** How long a member may be silent before its partitions are reassigned; default 8,000. The broker's minimum is 6,000. */
  readonly sessionTimeoutMs?: number
  /** After how long a member without partitions rejoins if there are enough for all; default 15,000, doubled each time. */
  readonly leftOutMs?: number
  /** How long `start` retries; default 30,000. */
  readonly startTimeoutMs?: number
}

/** A partition's first unprocessed offset. */
export interface NotedOffset extends TopicPartition {
  readonly offset: number
}

/** How long a fetch waits. All partitions are paused, and a paused member notices a rebalance only between fetches. */
const noticeMs = 300
const heartbeatMs = 250
const rebalanceTimeoutMs = 5_000
const rejoinMs = 1_000
const leftOutMsMax = 300_000

/** Membership through one client. `end` resolves to the reason when that client gives up. */
interface Joined {
  readonly end: Promise<unknown>
}

/**
 * Membership in the group that distributes partitions. It provides liveness only. It may be wrong temporarily, which the fence
 * makes harmless: an owner serves until its partition is revoked here or it is fenced. No records are fetched.
 */
export class GroupMembership {
  /** A random id. The process that answers at the advertised URL proves its identity with it. */
  readonly instance = randomUUID()
  readonly #options: GroupMembershipOptions
  readonly #peers: Peers
  #consumer: Consumer | undefined
  #leaving = new AbortController()
  #memberId = ''
  #joinedAtMs = -Infinity
  #owned: Assignment = {}
  #view: GroupView = { routes: new Map(), members: [] }
  #notifying: Promise<void> = Promise.resolve()

  constructor(options: GroupMembershipOptions) {
    this.#options = options
    const {
      advertisedUrl: url,
      verifyPeer = () => Promise.resolve('verified' as const),
      onForeign = () => undefined,
    } = options
    this.#peers = new Peers({ url, instance: this.instance }, verifyPeer, onForeign)
  }

  /**
   * Joins the group. Resolves with the first assignment.
   * @throws LogError `refused` when the broker denies access, `unavailable` when it could not join in time.
   */
  async start(): Promise<void> {
    const { groupId, startTimeoutMs = 30_000, onProblem = () => undefined } = this.#options
    this.#leaving = new AbortController()
    const tries = { groupId, timeoutMs: startTimeoutMs, pauseMs: rejoinMs, onProblem }
    void this.#stayJoined(await firstJoin(tries, () => this.#join()))
  }

  /** Leaves the group, so that the others do not wait for the session time-out. Does not call `onRevoked`; no callback is called afterwards. */
  async stop(): Promise<void> {
    this.#leaving.abort()
    const consumer = this.#consumer
    this.#consumer = undefined
    await consumer?.disconnect()
    await this.#notifying
    this.#owned = {}
  }

  /** When the group last assigned partitions, by `performance.now()`: after each change of its members. */
  get joinedAtMs(): number {
    return this.#joinedAtMs
  }

  /** The partitions that the group has assigned to this member. */
  get partitions(): readonly TopicPartition[] {
    return partitionsOf(this.#owned)
  }

  /** The owners, with the URLs of verified ones. During a rebalance, the owners before it. @throws LogError `unavailable` */
  async ownersTable(): Promise<RoutingTable> {
    return (await this.view()).routes
  }

  /** Members and owners. During a rebalance, those before it. @throws LogError `unavailable` */
  async view(): Promise<GroupView> {
    const group = await this.#readGroup()
    if (group === undefined) return this.#view
    this.#peers.foreign([...group.foreign, ...(await this.#peers.unfitNow(group))])
    const routes = await this.#peers.route(group.owners)
    const members = await this.#peers.view(group.members)
    this.#view = { routes, members }
    return this.#view
  }

  /**
   * Commits this member's progress to the group, for Kafka's tools. Nothing here depends on it; a failed commit is ignored.
   */
  async noteOffsets(offsets: readonly NotedOffset[]): Promise<void> {
    const noted = offsets.map(({ topic, partition, offset }) => ({
      topic,
      partition,
      offset: String(offset),
    }))
    await this.#consumer?.commitOffsets(noted).catch(() => undefined)
  }

  #readGroup(): Promise<GroupTable | undefined> {
    const { cluster, groupId, checkPeerUrl: checkUrl = anyPeerUrl } = this.#options
    return readGroup(cluster, groupId, { checkUrl })
  }

  async #join(): Promise<Joined> {
    const consumer = this.#newConsumer()
    this.#consumer = consumer
    const joined = Promise.withResolvers<undefined>()
    const end = Promise.withResolvers<unknown>()
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      consumer.pause(this.#options.topics.map((topic) => ({ topic })))
      this.#memberId = payload.memberId
      this.#joinedAtMs = performance.now()
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
    const { cluster, groupId, advertisedUrl, early, checkPeerUrl = anyPeerUrl } = this.#options
    return new Kafka(groupClientConfig(cluster.settings)).consumer({
      groupId,
      sessionTimeout: this.#options.sessionTimeoutMs ?? 8_000,
      heartbeatInterval: heartbeatMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      maxWaitTimeInMs: noticeMs,
      // A topic named in another member's metadata must not be created.
      allowAutoTopicCreation: false,
      // This class rejoins on its own and never gives up.
      retry: { initialRetryTime: 100, retries: 5, restartOnFailure: () => Promise.resolve(false) },
      partitionAssigners: [
        stickyAssigner({
          self: () => ({
            ...{ url: advertisedUrl, instance: this.instance },
            ...{ memberId: this.#memberId, owned: this.#owned },
            ...(early !== undefined && { early: assignmentOf(early()) }),
          }),
          checkUrl: checkPeerUrl,
          unfit: (members) => this.#peers.unfit(members),
          onForeign: (foreign) => this.#peers.foreign(foreign),
        }),
      ],
    })
  }

  /** Rejoins with a new client whenever the current one gives up. Owned partitions are served meanwhile. */
  async #stayJoined(first: Joined): Promise<void> {
    let joined: Joined | undefined = first
    let { leftOutMs = 15_000 } = this.#options
    while (!this.#isLeaving()) {
      if (joined !== undefined) {
        const reason = await this.#membershipEnd(joined, leftOutMs)
        this.#options.onProblem?.(reason)
        leftOutMs = reason instanceof LeftOutError ? Math.min(2 * leftOutMs, leftOutMsMax) : leftOutMs
      }
      await pause(rejoinMs, this.#leaving.signal)
      joined = await this.#rejoin()
    }
  }

  /** @returns why the membership ended. */
  async #membershipEnd({ end }: Joined, leftOutMs: number): Promise<unknown> {
    const over = new AbortController()
    const leftOut = this.#whenLeftOut(leftOutMs, AbortSignal.any([over.signal, this.#leaving.signal]))
    const reason = await Promise.race([end, leftOut])
    over.abort()
    if (reason instanceof LeftOutError) await this.#consumer?.disconnect()
    return reason
  }

  /** A leader that cannot reach this member assigns nothing to it, and checks again only when a member joins. */
  async #whenLeftOut(leftOutMs: number, signal: AbortSignal): Promise<LeftOutError> {
    for (;;) {
      await pause(leftOutMs, signal)
      // Never resolves once the membership has ended otherwise.
      if (signal.aborted) return new Promise(() => undefined)
      if (await this.#isLeftOut()) return new LeftOutError(this.#options.groupId, this.#options.advertisedUrl)
    }
  }

  async #isLeftOut(): Promise<boolean> {
    if (this.partitions.length > 0) return false
    const group = await this.#readGroup().catch(() => undefined)
    if (group === undefined) return false
    const isMember = group.members.some(({ instance }) => instance === this.instance)
    const owners = [...group.owners.values()]
    return (
      isMember &&
      owners.every(({ instance }) => instance !== this.instance) &&
      owners.length >= group.members.length
    )
  }

  #isLeaving(): boolean {
    return this.#leaving.signal.aborted
  }

  async #rejoin(): Promise<Joined | undefined> {
    if (this.#isLeaving()) return undefined
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
    this.#notifying = this.#notifying.then(() => this.#notify(revoked, assigned))
  }

  async #notify(revoked: readonly TopicPartition[], assigned: readonly TopicPartition[]): Promise<void> {
    try {
      if (revoked.length > 0) await this.#options.onRevoked(revoked)
      if (assigned.length > 0) await this.#options.onAssigned(assigned)
    } catch (error) {
      this.#options.onProblem?.(error)
    }
  }
}
