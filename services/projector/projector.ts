import { eventTopic, type Projection, type TopicPartition } from '#domain'
import { EventFormat, PartitionFeed, type WaitingPartition } from '#event-log'
import { LogReader, type TopicDescription } from '#kafka'
import { type OwnedPartition, PartitionGroup } from '#ownership'
import { ProjectionRunner, type ViewStore } from '#projections'
import type { MemberParts } from '#service'

import { AppliedEvents } from './applied-events.ts'
import { ChangelogReader } from './changelog/index.ts'
import { DeadLetterLog } from './dead-letters/dead-letter-log.ts'
import { EngineReports } from './engine-reports.ts'
import { GenerationWatch } from './generation-watch.ts'
import { GroupOffsets } from './group-offsets.ts'
import { ProjectionPublishers } from './projection-publishers.ts'
import { addProjectionGauges, addWaitingGauge } from './projection-gauges.ts'
import { Projections } from './projections.ts'
import { withoutViews } from './projection-infos.ts'
import { ProjectorMetrics } from './projector-metrics.ts'
import type { ProjectorSettings } from './projector-settings.ts'
import { ensureProjectionTopics } from './projection-topics.ts'
import { SourceStates } from './source-states.ts'

export interface ProjectorParts extends MemberParts {
  readonly store: ViewStore
  readonly settings: ProjectorSettings
}

/** A few hundred views, decoded in one turn. */
const subscriberFetchBytesMax = 1 << 18

/** One projector: a member of the group that assigns source partitions. It runs all projections on its partitions. */
export class Projector {
  /** The API for HTTP: all projections, also those that run elsewhere. */
  readonly api: Projections
  readonly #parts: ProjectorParts
  readonly #runners: readonly ProjectionRunner[]
  readonly #publishers: ProjectionPublishers
  readonly #group: PartitionGroup<OwnedPartition>
  readonly #groupOffsets: GroupOffsets
  readonly #states: SourceStates

  constructor(parts: ProjectorParts) {
    const { cluster, redis, codec, domain, store, settings, logger } = parts
    const { projections } = domain
    this.#parts = parts
    const reader = new LogReader(cluster)
    this.#states = new SourceStates({ cluster, reader, redis })
    const feed = new PartitionFeed(this.#states.reader, new EventFormat(codec))
    const watch = new GenerationWatch(store.generations)
    const appliedEvents = new AppliedEvents(watch, settings.waitersMax)
    const metrics = new ProjectorMetrics(parts.metrics)
    this.#publishers = new ProjectionPublishers({ ...parts, watch, projections, feed })
    const observer = new EngineReports({ metrics, logger, appliedEvents, publishers: this.#publishers })
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
      appliedEvents,
      changelog,
      afterTimeoutMs: settings.afterTimeoutMs,
    })
    addProjectionGauges(parts.metrics, {
      list: () => this.api.list(),
      owns: (source) => this.#group.ownerOf(source) !== undefined,
      movedAtMs: (generation, source) => metrics.movedAtMs(generation, source),
    })
    addWaitingGauge(parts.metrics, () => this.#waiting)
    this.#group = this.#newGroup()
    this.#groupOffsets = new GroupOffsets(watch, projections, this.#group)
  }

  /** Identifies this process in the group. */
  get instance(): string {
    return this.#group.instance
  }

  /** Creates missing topics and joins the group. Partitions start as the group assigns them. Projections wait for an unavailable view store. */
  async start(): Promise<void> {
    const { cluster, domain, settings } = this.#parts
    await ensureProjectionTopics(cluster, domain.projections, settings.kafka, settings.changelog)
    for (const runner of this.#runners) runner.start()
    await this.#group.start()
    this.#groupOffsets.start()
  }

  /** Finishes the steps in progress and leaves the group. */
  async stop(): Promise<void> {
    this.#groupOffsets.stop()
    await Promise.all([this.#group.stop(), ...this.#runners.map((runner) => runner.stop())])
  }

  /**
   * A source that waits for an operator does not make the projector unready, because the other sources are served.
   * @throws Error before the group was joined.
   */
  checkServing(): { readonly partitions: number; readonly waitForOperator?: readonly WaitingPartition[] } {
    const { owned } = this.#group.checkServing()
    const waitForOperator = this.#waiting
    return { partitions: owned, ...(waitForOperator.length > 0 && { waitForOperator }) }
  }

  get #waiting(): readonly WaitingPartition[] {
    return this.#states.waiting(this.#parts.domain.projections)
  }

  /** @throws Error if the view store does not answer, or a projection has no views to serve. */
  async checkViews(): Promise<{ readonly projections: number }> {
    const { domain, store } = this.#parts
    for (const projection of domain.projections) {
      const problem = withoutViews(projection, await store.generations.list(projection))
      if (problem !== undefined) throw new Error(problem)
    }
    return { projections: domain.projections.length }
  }

  #newGroup(): PartitionGroup<OwnedPartition> {
    const { groupId, sessionTimeoutMs } = this.#parts.settings
    const sources = this.#runners.flatMap(({ projection }) => projection.sources)
    return new PartitionGroup({
      ...this.#parts,
      member: 'projector',
      groupId,
      sessionTimeoutMs,
      topics: [...new Set(sources)].map(eventTopic),
      open: (place) => this.#ownedSource(place),
    })
  }

  /** A source partition has no term, because the view store fences the steps of each projection by its checkpoint. */
  #ownedSource(place: TopicPartition): OwnedPartition {
    return {
      isServing: true,
      waiting: undefined,
      start: () => {
        for (const runner of this.#runners) runner.assign([place])
        this.#publishers.assign([place])
      },
      stop: async () => {
        this.#states.forget([place])
        await Promise.all([
          this.#publishers.revoke([place]),
          ...this.#runners.map((runner) => runner.revoke([place])),
        ])
      },
    }
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
