import type { Logger } from 'pino'
import type { Registry } from 'prom-client'

import { eventTopic, parsePartition, partitionKey, type Projection, type TopicPartition } from '#domain'
import type { EventFeed } from '#event-log/records'
import type { KafkaCluster } from '#kafka'
import { TermLoop, type TermWork } from '#ownership'
import { type GenerationState, type ViewStore } from '#projections'
import type { EventCodec } from '#schemas'

import { ChangelogMetrics, ChangelogPublisher, ChangelogWriter } from './changelog/index.ts'
import type { GenerationWatch } from './generation-watch.ts'
import type { ProjectorSettings } from './projector-settings.ts'

interface PublishersParts {
  readonly cluster: KafkaCluster
  readonly codec: EventCodec
  readonly store: Pick<ViewStore, 'generations' | 'views' | 'outbox'>
  readonly watch: GenerationWatch
  readonly feed: Pick<EventFeed, 'endOffset'>
  readonly projections: readonly Projection[]
  readonly settings: ProjectorSettings
  readonly metrics: Registry
  readonly logger: Logger
}

/**
 * Each projection has one publisher at a time, which publishes its changes and discards retired generations and expired
 * views. It runs at the owner of the first partition of the first source.
 */
export class ProjectionPublishers {
  readonly #parts: PublishersParts
  readonly #metrics: ChangelogMetrics
  readonly #running = new Map<string, TermLoop<ChangelogPublisher>>()

  constructor(parts: PublishersParts) {
    this.#parts = parts
    this.#metrics = new ChangelogMetrics(parts.metrics)
  }

  assign(places: readonly TopicPartition[]): void {
    for (const projection of this.#publishedFrom(places)) {
      const { name } = projection
      const work = publishing(() => this.#newPublisher(projection))
      const place = firstPartitionOf(projection)
      const loop = new TermLoop({ place, name: `changelog of ${name}`, work, logger: this.#parts.logger })
      this.#running.set(name, loop)
      loop.start()
    }
  }

  async revoke(places: readonly TopicPartition[]): Promise<void> {
    await Promise.all(
      this.#publishedFrom(places).map(async ({ name }) => {
        const running = this.#running.get(name)
        this.#running.delete(name)
        await running?.stop()
      }),
    )
  }

  /** Notifies the publisher of changes of the projection. */
  wake(projection: string): void {
    this.#running.get(projection)?.term?.wake()
  }

  #publishedFrom(places: readonly TopicPartition[]): readonly Projection[] {
    const keys = new Set(places.map(partitionKey))
    return this.#parts.projections.filter((projection) =>
      keys.has(partitionKey(firstPartitionOf(projection))),
    )
  }

  async #isWhole({ range, checkpoints }: GenerationState): Promise<boolean> {
    const sources = Object.keys(range)
    const ends = await Promise.all(
      sources.map((source) => this.#parts.feed.endOffset(parsePartition(source))),
    )
    return sources.every((source, index) => (checkpoints.get(source) ?? 0) >= (ends[index] ?? Infinity))
  }

  #newPublisher(projection: Projection): ChangelogPublisher {
    const { cluster, codec, store, watch, settings, logger } = this.#parts
    const { partitions, messageBytesMax } = settings.kafka
    const writer = settings.changelog
      ? new ChangelogWriter({ cluster, codec, projection, partitions, messageBytesMax })
      : undefined
    return new ChangelogPublisher({
      projection,
      store,
      watch,
      writer,
      isWhole: (generation) => this.#isWhole(generation),
      metrics: this.#metrics,
      logger,
    })
  }
}

const firstPartitionOf = ({ sources: [first = ''] }: Projection): TopicPartition => ({
  topic: eventTopic(first),
  partition: 0,
})

/** Each term is one publisher. It takes over all partitions of the changelog itself, before it first reads views. */
const publishing = (open: () => ChangelogPublisher): TermWork<ChangelogPublisher> => ({
  prepare: () => Promise.resolve(),
  takeOver: () => Promise.resolve(open()),
  catchUp: () => Promise.resolve(),
  serve: (publisher, context) => publisher.run(context),
  end: () => undefined,
})
