import type { Caller } from '#access'
import { type AggregateStore, aggregateTypeOfTopic, snapshotTopic, type TopicPartition } from '#domain'
import { EventFormat } from '#event-log'
import type { SnapshotsApi } from '#event-store'
import { FencedLog, LogReader, Topics } from '#kafka'
import { addOwnershipGauges, PartitionGroup, type ServingReport } from '#ownership'
import { PartitionIndex, SnapshotCheckpoint } from '#redis-index'
import type { MemberParts } from '#service'

import { PartitionSnapshotter } from './partition/partition-snapshotter.ts'
import { StateMemory } from './partition/state-memory.ts'
import { RoutedSnapshots } from './routed-snapshots.ts'
import { SnapshotTopics } from './snapshot-topics.ts'
import { SnapshotterMetrics } from './snapshotter-metrics.ts'
import type { SnapshotterSettings } from './snapshotter-settings.ts'

export interface SnapshotterParts extends MemberParts {
  /** Loads aggregates; nothing is appended. */
  readonly store: AggregateStore
  /** Another snapshotter, for requests of a caller that it owns. Such a request must not be forwarded again. */
  readonly peerAt: (url: string, caller: Caller) => SnapshotsApi
  readonly settings: SnapshotterSettings
}

/** Bounds the time that a stopping process waits for the log. */
const logTimeoutMs = 8_000

/**
 * One snapshotter: a member of the group that assigns the partitions of event topics. It takes the snapshots of its own
 * partitions and forwards requests for others.
 */
export class Snapshotter {
  /** The API for HTTP: the snapshots of all instances. */
  readonly api: RoutedSnapshots
  readonly #parts: SnapshotterParts
  readonly #topics: SnapshotTopics
  readonly #reader: LogReader
  readonly #memory: StateMemory
  readonly #metrics: SnapshotterMetrics
  readonly #group: PartitionGroup<PartitionSnapshotter>

  constructor(parts: SnapshotterParts) {
    const { cluster, redis, domain, topics } = parts
    this.#parts = parts
    this.#topics = new SnapshotTopics(domain.aggregates, topics)
    this.#reader = new LogReader(cluster)
    this.#memory = new StateMemory(parts.settings.statesBytesMax)
    this.#group = this.#newGroup()
    this.#metrics = new SnapshotterMetrics(parts.metrics, () => this.#group.owners)
    addOwnershipGauges(parts.metrics, 'snapshotter', this.#group)
    this.api = new RoutedSnapshots({
      topics: this.#topics,
      cluster,
      redis,
      reader: this.#reader,
      group: this.#group,
      peerAt: parts.peerAt,
      ownUrl: parts.advertisedUrl,
      metrics: this.#metrics,
    })
  }

  /** Identifies this process in the group. */
  get instance(): string {
    return this.#group.instance
  }

  /** Creates missing topics of snapshots and joins the group. Partitions start as the group assigns them. @throws LogError */
  async start(): Promise<void> {
    const { cluster, settings, logger } = this.#parts
    if (this.#topics.all.length === 0) {
      logger.info('no aggregate declares a schema for its snapshots, so none are taken')
    } else {
      await new Topics(cluster).ensure(this.#topics.specs(settings))
    }
    await this.#group.start()
  }

  /** Finishes the snapshots in progress and leaves the group. */
  stop(): Promise<void> {
    return this.#group.stop()
  }

  /** @throws Error before the group was joined, and while a partition is not served and does not wait for an operator. */
  checkServing(): ServingReport {
    return this.#group.checkServing()
  }

  #newGroup(): PartitionGroup<PartitionSnapshotter> {
    const { groupId, sessionTimeoutMs } = this.#parts.settings
    return new PartitionGroup({
      ...this.#parts,
      member: 'snapshotter',
      groupId,
      sessionTimeoutMs,
      topics: this.#topics.all.map(({ topic }) => topic),
      open: (place) => this.#newOwner(place),
    })
  }

  #newOwner({ topic, partition }: TopicPartition): PartitionSnapshotter {
    const { cluster, redis, codec, store, settings, logger } = this.#parts
    const { aggregate } = this.#topics.of(aggregateTypeOfTopic(topic))
    const { snapshotTtlSeconds, rememberedIdsMax } = settings
    const index = {
      topic,
      partition,
      aggregateType: aggregate.type,
      snapshotTtlSeconds,
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
      format: new EventFormat(codec),
      memory: this.#memory,
      index: new PartitionIndex(redis, index),
      checkpoint: new SnapshotCheckpoint(redis, topic, partition),
      openLog: () => new FencedLog(cluster, snapshotTopic(aggregate.type), partition, timeouts),
      settings,
      metrics: this.#metrics,
      logger,
    })
  }
}
