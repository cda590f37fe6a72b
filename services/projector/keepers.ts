import type { Logger } from 'pino'
import type { Registry } from 'prom-client'

import { eventTopic, parsePartition, partitionKey, type Projection, type TopicPartition } from '#domain'
import type { EventFeed } from '#event-log/records'
import { type KafkaCluster, TakeOverPace } from '#kafka'
import { type GenerationState, pause, type ViewStore } from '#projections'
import type { EventCodec } from '#schemas'

import { ChangelogMetrics, ChangelogPublisher, ChangelogWriter } from './changelog/index.ts'
import type { ProjectorSettings } from './projector-settings.ts'

export interface KeepersParts {
  readonly cluster: KafkaCluster
  readonly codec: EventCodec
  readonly store: ViewStore
  readonly feed: Pick<EventFeed, 'endOffset'>
  readonly projections: readonly Projection[]
  readonly settings: ProjectorSettings
  readonly metrics: Registry
  readonly logger: Logger
}

/** How long one that was fenced, and still has the partition, leaves the other one alone at least. */
const fencedPauseMs = 1_000

/**
 * Each projection has one keeper, which publishes its changes and clears up behind it: the owner of the first partition
 * of its first source.
 */
export class Keepers {
  readonly #parts: KeepersParts
  readonly #metrics: ChangelogMetrics
  readonly #kept = new Map<string, Keeper>()

  constructor(parts: KeepersParts) {
    this.#parts = parts
    this.#metrics = new ChangelogMetrics(parts.metrics)
  }

  assign(places: readonly TopicPartition[]): void {
    for (const projection of this.#keptFrom(places)) {
      const keeper = new Keeper(() => this.#newPublisher(projection))
      this.#kept.set(projection.name, keeper)
      keeper.start()
    }
  }

  async revoke(places: readonly TopicPartition[]): Promise<void> {
    await this.#stop(this.#keptFrom(places).map(({ name }) => name))
  }

  stop(): Promise<void> {
    return this.#stop([...this.#kept.keys()])
  }

  /** Something of the projection has changed. */
  wake(projection: string): void {
    this.#kept.get(projection)?.wake()
  }

  #keptFrom(places: readonly TopicPartition[]): readonly Projection[] {
    const keys = new Set(places.map(partitionKey))
    return this.#parts.projections.filter(({ sources: [first = ''] }) =>
      keys.has(partitionKey({ topic: eventTopic(first), partition: 0 })),
    )
  }

  async #stop(names: readonly string[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        const keeper = this.#kept.get(name)
        this.#kept.delete(name)
        await keeper?.stop()
      }),
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
    const { cluster, codec, store, settings, logger } = this.#parts
    const { partitions, messageBytesMax } = settings.kafka
    const writer = settings.changelog
      ? new ChangelogWriter({ cluster, codec, projection, partitions, messageBytesMax })
      : undefined
    return new ChangelogPublisher({
      projection,
      store,
      writer,
      isWhole: (generation) => this.#isWhole(generation),
      metrics: this.#metrics,
      logger,
    })
  }
}

/** Keeps one projection for as long as it is this instance's to keep. */
class Keeper {
  readonly #open: () => ChangelogPublisher
  readonly #stopping = new AbortController()
  #publisher: ChangelogPublisher | undefined
  #running: Promise<void> | undefined

  constructor(open: () => ChangelogPublisher) {
    this.#open = open
  }

  start(): void {
    this.#running = this.#run()
  }

  wake(): void {
    this.#publisher?.wake()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /** Each publisher takes over all partitions of the changelog: two keepers that fence each other slow down. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const pace = new TakeOverPace()
    while (!signal.aborted) {
      pace.spend()
      this.#publisher = this.#open()
      if ((await this.#publisher.run(signal)) !== 'fenced') continue
      await pause(Math.max(fencedPauseMs, pace.waitMs), signal)
    }
  }
}
