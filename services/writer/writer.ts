import type { Logger } from 'pino'
import type { Registry } from 'prom-client'

import { aggregateTypeOfTopic, type DomainModule, type TopicPartition } from '#domain'
import { CategoryLog, EventFormat } from '#event-log'
import {
  FencedLog,
  type KafkaCluster,
  LogReader,
  Ownership,
  type OwnershipOptions,
  type TopicDescription,
  type VerifyPeer,
} from '#kafka'
import { PartitionIndex, type RedisConnection } from '#redis-index'
import type { EventCodec } from '#schemas'

import { IndexCatchUp } from './partition/index-catch-up.ts'
import { PartitionOwner } from './partition/partition-owner.ts'
import { OwnerTable } from './routing/owner-table.ts'
import { RoutedWriter } from './routing/routed-writer.ts'
import { LocalStore } from './store/local-store.ts'
import { type NamedState, Partitions } from './store/partitions.ts'
import { StreamHistory } from './store/stream-history.ts'
import type { StreamOwner } from './store/stream-owner.ts'
import { WriterMetrics } from './writer-metrics.ts'
import type { WriterSettings } from './writer-settings.ts'

export interface WriterParts {
  readonly cluster: KafkaCluster
  readonly redis: RedisConnection
  readonly codec: EventCodec
  readonly domain: DomainModule
  /** The event topics of the domain's aggregates; they exist. */
  readonly topics: readonly TopicDescription[]
  /** Another writer, for requests that it owns. Requests must not be passed on a second time. */
  readonly peerAt: (url: string) => StreamOwner
  /** Where other writers and clients reach this one. */
  readonly advertisedUrl: string
  readonly verifyPeer: VerifyPeer
  readonly onForeign: NonNullable<OwnershipOptions['onForeign']>
  readonly settings: WriterSettings
  readonly metrics: Registry
  readonly logger: Logger
}

/** Some hundreds of events: they are decoded in one go. */
const subscriberFetchBytesMax = 1 << 18

const foreignRecordText =
  'a record in an event topic is not of a writer: it is left out; take the right to write there from all others, and see `annals verify`'

/**
 * One writer: a member of the group that shares out the partitions, an owner of those it was given, and a way to the
 * others for the rest.
 */
export class Writer {
  /** What HTTP serves: every stream, whoever owns it. */
  readonly api: RoutedWriter
  /** The streams of the owned partitions, without a detour. */
  readonly local: LocalStore
  readonly #parts: WriterParts
  readonly #partitions: Partitions
  readonly #ownership: Ownership
  readonly #reader: LogReader
  readonly #categories: CategoryLog
  readonly #metrics: WriterMetrics
  #joined = false

  constructor(parts: WriterParts) {
    const { cluster, codec, domain, topics, settings } = parts
    this.#parts = parts
    this.#partitions = new Partitions(topics)
    this.#reader = new LogReader(cluster, {
      knownTerms: (topic, partition, topicId, offset) =>
        this.#indexOf({ topic, partition }).termBefore(topicId, offset),
    })
    this.#metrics = new WriterMetrics(parts.metrics, this.#partitions)
    this.#ownership = this.#newOwnership()
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
      partitions: this.#partitions,
      format,
      codec,
      history: new StreamHistory(this.#reader, format),
      aggregates: domain.aggregates,
      settings,
      metrics: this.#metrics,
    })
    this.api = new RoutedWriter({
      partitions: this.#partitions,
      local: this.local,
      table: new OwnerTable(() => this.#ownership.ownersTable()),
      peerAt: parts.peerAt,
      categories: this.#categories,
      ownUrl: parts.advertisedUrl,
      routingTimeoutMs: settings.routingTimeoutMs,
      onForwarded: () => this.#metrics.forwarded.inc(),
      onRefused: (error) => this.#metrics.refused(error),
    })
  }

  /** What tells this process from all others in the group. */
  get instance(): string {
    return this.#ownership.instance
  }

  /** Joins the group; partitions come as the group gives them. */
  async start(): Promise<void> {
    await this.#ownership.start()
    this.#joined = true
  }

  /** Finishes the rounds under way and begins no more, leaves the group meanwhile, so that the next owners need not wait. */
  async stop(): Promise<void> {
    const finished = this.#revoked(this.#partitions.ownedPlaces)
    await this.#ownership.stop()
    await finished
    // What a rebalance may have brought after that.
    await this.#revoked(this.#partitions.ownedPlaces)
  }

  /**
   * A partition that waits for an operator does not make the writer unready: the others must go on.
   * @throws Error before the group has given partitions to this writer, and while one of them is not served for another reason.
   */
  checkServing(): { owned: number; waitForOperator?: readonly NamedState[] } {
    if (!this.#joined) throw new Error('the group of writers has not been joined yet')
    const { owned } = this.#partitions
    const waitForOperator = this.#partitions.namedStates
    const waiting = owned.filter(({ isServing, namedState }) => !isServing && !namedState).length
    if (waiting > 0) throw new Error(`${waiting} of ${owned.length} owned partitions are not served yet`)
    return { owned: owned.length, ...(waitForOperator.length > 0 && { waitForOperator }) }
  }

  #newOwnership(): Ownership {
    const { cluster, topics, settings, advertisedUrl, verifyPeer, onForeign, logger } = this.#parts
    return new Ownership({
      cluster,
      groupId: settings.groupId,
      topics: topics.map(({ name }) => name),
      advertisedUrl,
      verifyPeer,
      onForeign,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      onAssigned: (places) => this.#assigned(places),
      onRevoked: (places) => this.#revoked(places),
      onProblem: (error) =>
        logger.warn({ err: error }, 'the group of writers cannot be reached: trying again'),
    })
  }

  #assigned(places: readonly TopicPartition[]): void {
    for (const place of places) {
      const owner = this.#newOwner(place)
      this.#partitions.add(place, owner)
      owner.start()
    }
  }

  async #revoked(places: readonly TopicPartition[]): Promise<void> {
    const owners = places.flatMap((place) => this.#partitions.remove(place) ?? [])
    await Promise.all(owners.map((owner) => owner.stop()))
  }

  #indexOf({ topic, partition }: TopicPartition): PartitionIndex {
    const { redis, settings } = this.#parts
    return new PartitionIndex(redis, {
      topic,
      partition,
      aggregateType: aggregateTypeOfTopic(topic),
      tailEventsMax: settings.tailEventsMax,
      tailTtlSeconds: settings.tailTtlSeconds,
      rememberedIdsMax: settings.rememberedIdsMax,
    })
  }

  #newOwner({ topic, partition }: TopicPartition): PartitionOwner {
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
    return new PartitionOwner({
      topic,
      partition,
      cluster,
      openLog,
      index,
      catchUp,
      settings,
      metrics,
      logger,
    })
  }
}
