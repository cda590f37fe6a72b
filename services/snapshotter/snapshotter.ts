import type { Logger } from 'pino'
import type { Registry } from 'prom-client'

import {
  type AggregateStore,
  aggregateTypeOfTopic,
  type DomainModule,
  partitionKey,
  snapshotTopic,
  type TopicPartition,
} from '#domain'
import type { WaitingPartition } from '#event-log'
import type { SnapshotsApi } from '#event-store'
import {
  FencedLog,
  type KafkaCluster,
  LogReader,
  Ownership,
  type OwnershipOptions,
  type TopicDescription,
  Topics,
  type VerifyPeer,
} from '#kafka'
import { PartitionIndex, type RedisConnection, SnapshotCheckpoint } from '#redis-index'
import type { EventCodec } from '#schemas'

import { PartitionSnapshotter } from './partition/partition-snapshotter.ts'
import { RoutedSnapshots } from './routed-snapshots.ts'
import { SnapshotTopics } from './snapshot-topics.ts'
import { SnapshotterMetrics } from './snapshotter-metrics.ts'
import type { SnapshotterSettings } from './snapshotter-settings.ts'

export interface SnapshotterParts {
  readonly cluster: KafkaCluster
  readonly redis: RedisConnection
  readonly codec: EventCodec
  readonly domain: DomainModule
  /** The event topics of the domain's aggregates; they exist. */
  readonly topics: readonly TopicDescription[]
  /** Where aggregates are loaded from; nothing is appended. */
  readonly store: AggregateStore
  /** Another snapshotter, for requests that it owns. Requests must not be passed on a second time. */
  readonly peerAt: (url: string) => SnapshotsApi
  /** Where other snapshotters and clients reach this one. */
  readonly advertisedUrl: string
  readonly verifyPeer: VerifyPeer
  readonly onForeign: NonNullable<OwnershipOptions['onForeign']>
  readonly settings: SnapshotterSettings
  readonly metrics: Registry
  readonly logger: Logger
}

/** Longer than this the end of a process does not wait. */
const logTimeoutMs = 8_000

/**
 * One snapshotter: a member of the group that shares out the partitions of the event topics, the one that takes the snapshots of those it was
 * given, and a way to the others for the rest.
 */
export class Snapshotter {
  /** What HTTP serves: all snapshots, whoever takes them. */
  readonly api: RoutedSnapshots
  readonly #parts: SnapshotterParts
  readonly #topics: SnapshotTopics
  readonly #reader: LogReader
  readonly #metrics: SnapshotterMetrics
  readonly #owned = new Map<string, PartitionSnapshotter>()
  readonly #ownership: Ownership
  #joined = false

  constructor(parts: SnapshotterParts) {
    const { cluster, redis, domain, topics } = parts
    this.#parts = parts
    this.#topics = new SnapshotTopics(domain.aggregates, topics)
    this.#reader = new LogReader(cluster)
    this.#metrics = new SnapshotterMetrics(parts.metrics, () => [...this.#owned.values()])
    this.#ownership = this.#newOwnership()
    this.api = new RoutedSnapshots({
      topics: this.#topics,
      cluster,
      redis,
      reader: this.#reader,
      owned: this.#owned,
      ownersTable: () => this.#ownership.ownersTable(),
      peerAt: parts.peerAt,
      ownUrl: parts.advertisedUrl,
      metrics: this.#metrics,
    })
  }

  /** What tells this process from all others in the group. */
  get instance(): string {
    return this.#ownership.instance
  }

  /** Makes the topics of snapshots that are missing, and joins the group; partitions come as the group gives them. @throws LogError */
  async start(): Promise<void> {
    const { cluster, settings, logger } = this.#parts
    if (this.#topics.all.length === 0) {
      logger.info('no aggregate declares a schema for its snapshots: there are none to take')
    } else {
      await new Topics(cluster).ensure(this.#topics.specs(settings))
      await this.#ownership.start()
    }
    this.#joined = true
  }

  /** Finishes the snapshots under way, and leaves the group meanwhile. */
  async stop(): Promise<void> {
    const finished = this.#revoked(this.#ownedPlaces)
    await this.#ownership.stop()
    await finished
    // What a rebalance may have brought after that.
    await this.#revoked(this.#ownedPlaces)
  }

  /**
   * A partition that waits for an operator does not make the snapshotter unready: the others must go on.
   * @throws Error before the group has given partitions to this snapshotter, and while one of them is not served for another reason.
   */
  checkServing(): { owned: number; waitForOperator?: readonly WaitingPartition[] } {
    if (!this.#joined) throw new Error('the group of snapshotters has not been joined yet')
    const owned = [...this.#owned.values()]
    const waitForOperator = owned.flatMap(({ waiting }) => waiting ?? [])
    const idle = owned.filter(({ isServing, waiting }) => !isServing && waiting === undefined).length
    if (idle > 0) throw new Error(`the snapshots of ${idle} of ${owned.length} partitions are not taken now`)
    return { owned: owned.length, ...(waitForOperator.length > 0 && { waitForOperator }) }
  }

  get #ownedPlaces(): TopicPartition[] {
    return [...this.#owned.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  #newOwnership(): Ownership {
    const { cluster, settings, advertisedUrl, verifyPeer, onForeign, logger } = this.#parts
    return new Ownership({
      cluster,
      groupId: settings.groupId,
      topics: this.#topics.all.map(({ topic }) => topic),
      advertisedUrl,
      verifyPeer,
      onForeign,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      onAssigned: (places) => this.#assigned(places),
      onRevoked: (places) => this.#revoked(places),
      onProblem: (error) =>
        logger.warn({ err: error }, 'the group of snapshotters cannot be reached: trying again'),
    })
  }

  #assigned(places: readonly TopicPartition[]): void {
    for (const place of places) {
      const owner = this.#newOwner(place)
      this.#owned.set(partitionKey(place), owner)
      owner.start()
    }
  }

  async #revoked(places: readonly TopicPartition[]): Promise<void> {
    const owners = places.map(partitionKey).flatMap((key) => {
      const owner = this.#owned.get(key)
      this.#owned.delete(key)
      return owner ?? []
    })
    await Promise.all(owners.map((owner) => owner.stop()))
  }

  #newOwner({ topic, partition }: TopicPartition): PartitionSnapshotter {
    const { cluster, redis, codec, store, settings, logger } = this.#parts
    const { aggregate } = this.#topics.of(aggregateTypeOfTopic(topic))
    const { tailEventsMax, tailTtlSeconds, rememberedIdsMax } = settings
    const index = {
      topic,
      partition,
      aggregateType: aggregate.type,
      tailEventsMax,
      tailTtlSeconds,
      rememberedIdsMax,
    }
    const timeouts = { appendTimeoutMs: logTimeoutMs, takeOverTimeoutMs: logTimeoutMs }
    return new PartitionSnapshotter({
      topic,
      partition,
      aggregate,
      store,
      codec,
      cluster,
      reader: this.#reader,
      index: new PartitionIndex(redis, index),
      checkpoint: new SnapshotCheckpoint(redis, topic, partition),
      openLog: () => new FencedLog(cluster, snapshotTopic(aggregate.type), partition, timeouts),
      settings,
      metrics: this.#metrics,
      logger,
    })
  }
}
