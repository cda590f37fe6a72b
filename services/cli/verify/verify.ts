import type { Config } from '#config'
import { type Aggregate, eventTopic, type Projection, snapshotTopic } from '#domain'
import { LogReader, type TopicDescription, Topics } from '#kafka'
import type { ViewStore } from '#projections'
import { openViewStore, type ReadingBackends } from '#service'

import { aggregatesAsked } from '../aggregates-asked.ts'
import { checkTopics } from '../missing-topics.ts'
import { clusterOf, type NamedCluster } from '../named-cluster.ts'
import { partitionIndex } from '../partition-index.ts'
import { ProgressMeter } from '../progress-meter.ts'
import type { ProgressDisplay } from '../progress-display.ts'
import type { LogPartition } from './check-record.ts'
import { EventIds } from './event-ids.ts'
import { Findings, type VerifyPart } from './finding.ts'
import { tellRepeatedIds } from './repeated-ids.ts'
import { type Sample, sampleOf, wholeLog } from './sample.ts'
import { noCounts, type VerifyCounts } from './verify-counts.ts'
import { PartitionVerifier } from './verify-partition.ts'
import { verifyProjection } from './verify-projections.ts'
import { verifyViews } from './verify-views.ts'

export interface VerifyOptions {
  /** Aggregate types; none means all of the domain. */
  readonly types: readonly string[]
  readonly parts: ReadonlySet<VerifyPart>
  /** Look closely at about so many streams; all where it is undefined. */
  readonly sample?: number
  readonly seed: string
  readonly findingsMax: number
  readonly display: ProgressDisplay
  readonly signal: AbortSignal
}

export interface Verification {
  readonly cluster: NamedCluster
  readonly counts: VerifyCounts
  readonly findings: Findings
  /** Share of the streams that were looked at closely. */
  readonly fraction: number
  readonly isInterrupted: boolean
}

/** How long owners may take, all together, to bring their indexes to the end of the log. */
const patienceMs = 5_000

/**
 * Compares everything that is kept of events with the log. Reads only.
 * @throws InvalidInputError for a type that the domain does not have; CommandError for one without a topic; LogError, IndexUnavailableError, ViewStoreUnavailableError,
 *   SchemaError `registry-unreachable`.
 */
export async function verify(
  config: Config,
  backends: ReadingBackends,
  options: VerifyOptions,
): Promise<Verification> {
  const aggregates = aggregatesAsked(backends.domain, options.types)
  const names = backends.domain.aggregates.flatMap(({ type }) => [eventTopic(type), snapshotTopic(type)])
  const topics = await new Topics(backends.cluster).describe(names)
  const cluster = clusterOf(backends.cluster, config)
  const missing = checkTopics(aggregates, options.types, topics, cluster)
  return new Verifying(config, backends, options, aggregates, topics).run(missing)
}

const notThere =
  'there is no such topic: all events of its type are gone, or no writer with this domain has ever started here'

class Verifying {
  readonly #config: Config
  readonly #backends: ReadingBackends
  readonly #options: VerifyOptions
  readonly #aggregates: readonly Aggregate[]
  readonly #topics: ReadonlyMap<string, TopicDescription>
  readonly #reader: LogReader
  readonly #findings: Findings
  readonly #counts = noCounts()
  readonly #ids = new EventIds()

  constructor(
    config: Config,
    backends: ReadingBackends,
    options: VerifyOptions,
    aggregates: readonly Aggregate[],
    topics: readonly TopicDescription[],
  ) {
    this.#config = config
    this.#backends = backends
    this.#options = options
    this.#aggregates = aggregates
    this.#topics = new Map(topics.map((topic) => [topic.name, topic]))
    this.#reader = new LogReader(backends.cluster)
    this.#findings = new Findings(options.findingsMax)
  }

  /** @param missing topics that are not there. */
  async run(missing: readonly string[]): Promise<Verification> {
    const { signal } = this.#options
    for (const topic of missing) this.#findings.add('log', 'topic-missing', notThere, { topic })
    const partitions = this.#aggregates.flatMap(({ type }) => this.#partitionsOf(type))
    const offsets = await this.#offsetsIn(partitions)
    const sample = await this.#sample(partitions)
    const meter = new ProgressMeter(this.#options.display, offsets)
    try {
      await this.#verifyPartitions(partitions, sample, meter)
      if (!signal.aborted) await this.#verifyProjections(meter)
    } finally {
      meter.end()
    }
    if (!signal.aborted) this.#noteNothing(partitions)
    return {
      cluster: clusterOf(this.#backends.cluster, this.#config),
      counts: this.#counts,
      findings: this.#findings,
      fraction: sample.fraction,
      isInterrupted: signal.aborted,
    }
  }

  /** Whoever has looked at nothing has found nothing: that proves nothing. */
  #noteNothing(partitions: readonly LogPartition[]): void {
    if (this.#counts.events > 0 || this.#findings.total > 0) return
    const message = `there was nothing to compare: ${partitions.length} partitions, and no event in them that was asked for`
    this.#findings.add('log', 'nothing-compared', message, {})
  }

  #partitionsOf(aggregateType: string): LogPartition[] {
    const found = this.#topics.get(eventTopic(aggregateType))
    if (found === undefined) return []
    const { name: topic, topicId, partitions } = found
    return Array.from({ length: partitions }, (_, partition) => ({
      ...{ aggregateType, topic, topicId, partition, partitions },
    }))
  }

  async #offsetsIn(partitions: readonly LogPartition[]): Promise<number> {
    const lengths = await Promise.all(
      partitions.map(async ({ topic, partition }) => {
        const start = await this.#reader.startOffset(topic, partition)
        return (await this.#reader.endOffset(topic, partition)) - start
      }),
    )
    return lengths.reduce((sum, length) => sum + length, 0)
  }

  /** How many streams there are, the indexes know best; where one is missing, everything is looked at. */
  async #sample(partitions: readonly LogPartition[]): Promise<Sample> {
    const { sample, seed } = this.#options
    if (sample === undefined) return wholeLog
    const counts = await Promise.all(
      partitions.map((place) => partitionIndex(this.#config, this.#backends.redis, place).streamCount()),
    )
    return sampleOf(
      sample,
      counts.reduce((sum, count) => sum + count, 0),
      seed,
    )
  }

  async #verifyPartitions(
    partitions: readonly LogPartition[],
    sample: Sample,
    meter: ProgressMeter,
  ): Promise<void> {
    const { parts, signal } = this.#options
    if (!['log', 'index', 'snapshots'].some((part) => parts.has(part as VerifyPart))) return
    const context = {
      reader: this.#reader,
      codec: this.#backends.codec,
      findings: this.#findings,
      counts: this.#counts,
      ids: this.#ids,
      snapshotTopics: new Set(this.#topics.keys()),
      patience: { leftMs: patienceMs },
      advance: (by: number) => meter.advance(by),
      ...{ parts, sample, signal },
    }
    for (const place of partitions) {
      const aggregate = this.#aggregates.find(({ type }) => type === place.aggregateType)
      await new PartitionVerifier(
        place,
        aggregate,
        partitionIndex(this.#config, this.#backends.redis, place),
        context,
      ).run()
      if (signal.aborted) return
      // A stream lies in one partition as a whole, and ids are compared within a stream.
      await this.#tellRepeated(place, sample)
    }
  }

  #tellRepeated(place: LogPartition, sample: Sample): Promise<void> {
    return tellRepeatedIds(this.#ids.takeRepeated(), place, sample, this.#reader, this.#findings)
  }

  async #verifyProjections(meter: ProgressMeter): Promise<void> {
    const { parts } = this.#options
    if (!parts.has('projections') && !parts.has('views')) return
    const types = this.#aggregates.map(({ type }) => type)
    const projections = this.#backends.domain.projections.filter(({ sources }) =>
      sources.some((type) => types.includes(type)),
    )
    const store = openViewStore(this.#config, this.#backends.redis)
    try {
      for (const projection of projections) await this.#verifyProjection(projection, store, meter)
    } finally {
      await store.close()
    }
  }

  async #verifyProjection(projection: Projection, store: ViewStore, meter: ProgressMeter): Promise<void> {
    const { parts, signal } = this.#options
    const shared = {
      ...{ store, signal },
      topics: this.#topics,
      reader: this.#reader,
      codec: this.#backends.codec,
      findings: this.#findings,
      counts: this.#counts,
      advance: (by: number) => meter.advance(by),
    }
    if (parts.has('projections')) await verifyProjection(projection, shared)
    if (!parts.has('views') || signal.aborted) return
    meter.extend(await this.#offsetsIn(projection.sources.flatMap((type) => this.#partitionsOf(type))))
    await verifyViews(projection, shared)
  }
}
