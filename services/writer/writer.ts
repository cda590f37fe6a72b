import type { Caller } from '#access'
import { aggregateTypeOfTopic, type TopicPartition } from '#domain'
import { CategoryLog, EventFormat } from '#event-log'
import { FencedLog, LogReader, type VerifyPeer } from '#kafka'
import { addOwnershipGauges, PartitionGroup, type ServingReport, type SuccessionSettings } from '#ownership'
import { PartitionIndex } from '#redis-index'
import type { MemberParts } from '#service'

import { MemoryBudget } from './memory/memory-budget.ts'
import { RecentStreams } from './memory/recent-streams.ts'
import type { OwnerMemory } from './memory/term-memory.ts'
import { IndexCatchUp } from './partition/index-catch-up.ts'
import { PartitionWriter } from './partition/partition-writer.ts'
import { CachedRoutingTable } from './routing/cached-routing-table.ts'
import { RoutedWriter } from './routing/routed-writer.ts'
import { LocalStore } from './store/local-store.ts'
import { Partitions } from './store/partitions.ts'
import { StreamHistory } from './store/stream-history.ts'
import type { StreamOwner } from './store/stream-owner.ts'
import { WriterMetrics } from './writer-metrics.ts'
import type { WriterSettings } from './writer-settings.ts'

export interface WriterParts extends MemberParts {
  /** Another writer, for requests of a caller that it owns. Such a request must not be forwarded again. */
  readonly peerAt: (url: string, caller: Caller) => StreamOwner
  /** Asks the process at the address of another writer who it is, without a cache. */
  readonly identifyPeer: VerifyPeer
  readonly settings: WriterSettings
}

/** More than a successor needs to find a dead owner and to take over. */
const successorTimeoutMs = 2_000
/** A few hundred events, decoded in one turn. */
const subscriberFetchBytesMax = 1 << 18

const foreignRecordText =
  'a record in an event topic was not appended by a writer and is skipped: revoke write access of all other clients, and run `annals verify`'

/**
 * One writer: a member of the group that distributes partitions, the owner of those that are assigned to it, and a
 * router to the other owners.
 */
export class Writer {
  /** The API for HTTP: the streams of all writers. */
  readonly api: RoutedWriter
  /** The streams of the owned partitions only. */
  readonly local: LocalStore
  readonly #parts: WriterParts
  readonly #group: PartitionGroup<PartitionWriter>
  readonly #reader: LogReader
  readonly #categories: CategoryLog
  readonly #metrics: WriterMetrics
  readonly #memory: OwnerMemory

  constructor(parts: WriterParts) {
    const { cluster, codec, domain, topics, settings } = parts
    this.#parts = parts
    this.#memory = {
      streams: new RecentStreams(settings.streamsBytesMax),
      ids: new MemoryBudget(settings.idsBytesMax),
    }
    this.#group = this.#newGroup()
    const partitions = new Partitions(topics, (place) => this.#group.ownerOf(place))
    this.#reader = new LogReader(cluster, {
      knownTerms: (topic, partition, topicId, offset) =>
        this.#indexOf({ topic, partition }).termBefore(topicId, offset),
    })
    this.#metrics = new WriterMetrics(parts.metrics, () => this.#queueDepth)
    this.#metrics.watchMemory(this.#memory)
    this.#metrics.watchPeers(() => this.#group.downCount)
    addOwnershipGauges(parts.metrics, 'writer', this.#group)
    const format = new EventFormat(codec)
    this.#categories = new CategoryLog({
      reader: new LogReader(cluster, { fetchBytesMax: subscriberFetchBytesMax }),
      format,
      topics,
      eventTypesOf: (type) => codec.eventTypes(type),
      keptBytesMax: settings.subscribersBytesMax,
      pagesWaitingMax: settings.readsMax,
    })
    this.#metrics.watchSubscriptions(this.#categories)
    this.local = new LocalStore({
      partitions,
      format,
      codec,
      history: new StreamHistory(this.#reader, format),
      aggregates: domain.aggregates,
      settings,
      metrics: this.#metrics,
    })
    this.api = new RoutedWriter({
      partitions,
      local: this.local,
      table: new CachedRoutingTable(
        () => this.#group.ownersTable(),
        (table) => this.#group.withSuccessors(table),
      ),
      peerAt: parts.peerAt,
      categories: this.#categories,
      ownUrl: parts.advertisedUrl,
      routingTimeoutMs: settings.routingTimeoutMs,
      successorTimeoutMs: settings.peerProbeIntervalMs > 0 ? successorTimeoutMs : 0,
      onRefusedAt: (url) => this.#group.suspect(url),
      onForwarded: () => this.#metrics.forwarded.inc(),
      onRefused: (error) => this.#metrics.refused(error),
    })
  }

  /** Identifies this process in the group. */
  get instance(): string {
    return this.#group.instance
  }

  /** Joins the group. Partitions start as the group assigns them. */
  start(): Promise<void> {
    return this.#group.start()
  }

  /** Finishes the rounds in progress and leaves the group. */
  stop(): Promise<void> {
    return this.#group.stop()
  }

  /** @throws Error before the group was joined, and while a partition is not served and does not wait for an operator. */
  checkServing(): ServingReport {
    return this.#group.checkServing()
  }

  get #queueDepth(): number {
    return this.#group.owners.reduce((sum, { queueDepth }) => sum + queueDepth, 0)
  }

  #newGroup(): PartitionGroup<PartitionWriter> {
    const { settings, topics } = this.#parts
    const { groupId, sessionTimeoutMs } = settings
    return new PartitionGroup({
      ...this.#parts,
      member: 'writer',
      groupId,
      sessionTimeoutMs,
      topics: topics.map(({ name }) => name),
      open: (place, onTermLost) => this.#newOwner(place, onTermLost),
      succession: this.#succession,
    })
  }

  get #succession(): SuccessionSettings | undefined {
    const { identifyPeer: identify, settings } = this.#parts
    const { peerProbeIntervalMs: probeIntervalMs } = settings
    if (probeIntervalMs === 0) return undefined
    return { probeIntervalMs, identify, onStep: (step) => this.#metrics.earlyTakeOvers.inc({ step }) }
  }

  #indexOf({ topic, partition }: TopicPartition): PartitionIndex {
    const { redis, settings } = this.#parts
    return new PartitionIndex(redis, {
      topic,
      partition,
      aggregateType: aggregateTypeOfTopic(topic),
      snapshotTtlSeconds: settings.snapshotTtlSeconds,
      rememberedIdsMax: settings.rememberedIdsMax,
    })
  }

  #newOwner({ topic, partition }: TopicPartition, onTermLost: () => void): PartitionWriter {
    const { cluster, settings, logger } = this.#parts
    const index = this.#indexOf({ topic, partition })
    const metrics = this.#metrics
    const catchUp = new IndexCatchUp({
      topic,
      partition,
      index,
      reader: this.#reader,
      onProgress: (progress) => metrics.caughtUp(topic, partition, progress),
      onForeign: (offset, reason) => {
        metrics.foreignRecords.inc({ topic, partition })
        logger.error({ topic, partition, offset, reason }, foreignRecordText)
      },
    })
    const openLog = () =>
      new FencedLog(cluster, topic, partition, { appendTimeoutMs: settings.appendTimeoutMs })
    return new PartitionWriter({
      topic,
      partition,
      cluster,
      openLog,
      index,
      catchUp,
      memory: this.#memory,
      settings,
      metrics,
      onTermLost,
      logger,
    })
  }
}
