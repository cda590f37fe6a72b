import type { Logger } from 'pino'
import type { Registry } from 'prom-client'

import { type DomainModule, eventTopic, partitionKey, type Projection, type TopicPartition } from '#domain'
import { EventFormat, PartitionFeed, type WaitingPartition } from '#event-log'
import {
  type KafkaCluster,
  LogReader,
  Ownership,
  type OwnershipOptions,
  type TopicDescription,
  type VerifyPeer,
} from '#kafka'
import { ProjectionRunner, type ViewStore } from '#projections'
import type { RedisConnection } from '#redis-index'
import type { EventCodec } from '#schemas'

import { Applications } from './applications.ts'
import { ChangelogReader } from './changelog/index.ts'
import { DeadLetterLog } from './dead-letters/dead-letter-log.ts'
import { EngineReports } from './engine-reports.ts'
import { GroupOffsets } from './group-offsets.ts'
import { Keepers } from './keepers.ts'
import { addProjectionGauges, addWaitingGauge } from './projection-gauges.ts'
import { Projections } from './projections.ts'
import { withoutViews } from './projection-infos.ts'
import { ProjectorMetrics } from './projector-metrics.ts'
import type { ProjectorSettings } from './projector-settings.ts'
import { ensureProjectionTopics } from './projection-topics.ts'
import { SourceStates } from './source-states.ts'

export interface ProjectorParts {
  readonly cluster: KafkaCluster
  /** Where an operator has accepted that a log lost its head. */
  readonly redis: RedisConnection
  readonly codec: EventCodec
  readonly domain: DomainModule
  /** The event topics of the domain's aggregates; they exist. */
  readonly topics: readonly TopicDescription[]
  readonly store: ViewStore
  /** Where other projectors and clients reach this one. */
  readonly advertisedUrl: string
  readonly verifyPeer: VerifyPeer
  readonly onForeign: NonNullable<OwnershipOptions['onForeign']>
  readonly settings: ProjectorSettings
  readonly metrics: Registry
  readonly logger: Logger
}

/** Some hundreds of views: they are decoded in one go. */
const subscriberFetchBytesMax = 1 << 18

/** One projector: a member of the group that shares out source partitions, and the maker of all projections from those it was given. */
export class Projector {
  /** What HTTP serves: all projections, whoever makes them. */
  readonly api: Projections
  readonly #parts: ProjectorParts
  readonly #runners: readonly ProjectionRunner[]
  readonly #keepers: Keepers
  readonly #ownership: Ownership
  readonly #groupOffsets: GroupOffsets
  readonly #states: SourceStates
  readonly #owned = new Set<string>()
  #joined = false

  constructor(parts: ProjectorParts) {
    const { cluster, redis, codec, domain, store, settings, logger } = parts
    const { projections } = domain
    this.#parts = parts
    const reader = new LogReader(cluster)
    this.#states = new SourceStates({ cluster, reader, redis })
    const feed = new PartitionFeed(this.#states.reader, new EventFormat(codec))
    const applications = new Applications(store, settings.waitersMax)
    const metrics = new ProjectorMetrics(parts.metrics)
    this.#keepers = new Keepers({ ...parts, projections, feed })
    const observer = new EngineReports({ metrics, logger, applications, keepers: this.#keepers })
    const deadLetters = new DeadLetterLog({ cluster, reader, partitions: settings.kafka.partitions, logger })
    const engine = { store, feed, deadLetters, observer, settings: settings.engine }
    this.#runners = projections.map(
      (projection) =>
        new ProjectionRunner({
          projection,
          sources: this.#sourcesOf(projection),
          topicIds: this.#topicIdsOf(projection),
          parts: engine,
        }),
    )
    const changelog = new ChangelogReader({
      reader: new LogReader(cluster, { fetchBytesMax: subscriberFetchBytesMax }),
      codec,
      projections,
      partitions: settings.kafka.partitions,
      changelog: settings.changelog,
      keptBytesMax: settings.subscribersBytesMax,
    })
    metrics.watchSubscriptions(changelog)
    this.api = new Projections({
      store,
      feed,
      states: this.#states,
      projections: this.#runners.map((runner) => ({
        projection: runner.projection,
        sources: this.#sourcesOf(runner.projection),
        rebuild: (until) => runner.rebuild(until),
        isOfOldLog: (generation) => runner.isOfOldLog(generation),
      })),
      applications,
      changelog,
      afterTimeoutMs: settings.afterTimeoutMs,
    })
    addProjectionGauges(parts.metrics, {
      list: () => this.api.list(),
      owns: (source) => this.#owned.has(partitionKey(source)),
      movedAtMs: (generation, source) => metrics.movedAtMs(generation, source),
    })
    addWaitingGauge(parts.metrics, () => this.#waiting)
    this.#ownership = this.#newOwnership()
    this.#groupOffsets = new GroupOffsets(() => this.api.list(), this.#ownership)
  }

  /** What tells this process from all others in the group. */
  get instance(): string {
    return this.#ownership.instance
  }

  /** Makes missing topics, and joins the group; partitions come as the group gives them. A store of views that is away is waited for by each projection. */
  async start(): Promise<void> {
    const { cluster, domain, settings } = this.#parts
    await ensureProjectionTopics(cluster, domain.projections, settings.kafka, settings.changelog)
    for (const runner of this.#runners) runner.start()
    if (this.#runners.length > 0) await this.#ownership.start()
    this.#groupOffsets.start()
    this.#joined = true
  }

  /** Finishes the steps under way and leaves the group. */
  async stop(): Promise<void> {
    this.#groupOffsets.stop()
    await Promise.all([
      this.#ownership.stop(),
      this.#keepers.stop(),
      ...this.#runners.map((runner) => runner.stop()),
    ])
  }

  /**
   * A source that waits for an operator does not make the projector unready: the others must go on.
   * @throws Error before the group has given partitions to this projector.
   */
  checkServing(): { readonly partitions: number; readonly waitForOperator?: readonly WaitingPartition[] } {
    if (!this.#joined) throw new Error('the group of projectors has not been joined yet')
    const waitForOperator = this.#waiting
    return { partitions: this.#owned.size, ...(waitForOperator.length > 0 && { waitForOperator }) }
  }

  get #waiting(): readonly WaitingPartition[] {
    return this.#states.waiting(this.#parts.domain.projections)
  }

  /** @throws Error where the store of views does not answer, or a projection has no views to show. */
  async checkViews(): Promise<{ readonly projections: number }> {
    const { domain, store } = this.#parts
    for (const projection of domain.projections) {
      const problem = withoutViews(projection, await store.generations(projection))
      if (problem !== undefined) throw new Error(problem)
    }
    return { projections: domain.projections.length }
  }

  #newOwnership(): Ownership {
    const { cluster, settings, advertisedUrl, verifyPeer, onForeign, logger } = this.#parts
    const sources = this.#runners.flatMap(({ projection }) => projection.sources)
    return new Ownership({
      cluster,
      groupId: settings.groupId,
      topics: [...new Set(sources)].map(eventTopic),
      advertisedUrl,
      verifyPeer,
      onForeign,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      onAssigned: (places) => this.#assigned(places),
      onRevoked: (places) => this.#revoked(places),
      onProblem: (error) =>
        logger.warn({ err: error }, 'the group of projectors cannot be reached: trying again'),
    })
  }

  #assigned(places: readonly TopicPartition[]): void {
    for (const place of places) this.#owned.add(partitionKey(place))
    for (const runner of this.#runners) runner.assign(places)
    this.#keepers.assign(places)
  }

  async #revoked(places: readonly TopicPartition[]): Promise<void> {
    for (const place of places) this.#owned.delete(partitionKey(place))
    this.#states.forget(places)
    await Promise.all([this.#keepers.revoke(places), ...this.#runners.map((runner) => runner.revoke(places))])
  }

  #topicsOf({ sources }: Projection): readonly TopicDescription[] {
    const names = new Set(sources.map(eventTopic))
    return this.#parts.topics.filter(({ name }) => names.has(name))
  }

  #sourcesOf(projection: Projection): readonly TopicPartition[] {
    return this.#topicsOf(projection).flatMap(({ name: topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    )
  }

  #topicIdsOf(projection: Projection): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#topicsOf(projection).map(({ name, topicId }) => [name, topicId]))
  }
}
