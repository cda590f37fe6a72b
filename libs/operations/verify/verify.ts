import { unlessAborted } from '#async'
import type { Config } from '#config'
import { type Aggregate, eventTopic, type Projection, snapshotTopic } from '#domain'
import { LogReader, type TopicDescription, Topics } from '#kafka'
import type { ViewStore } from '#projections'
import { openViewStore, type ReadingBackends } from '#service'

import { aggregatesAsked } from '../aggregates-asked.ts'
import { type JobControl, PhaseProgress, timed } from '../job-control.ts'
import { checkTopics } from '../missing-topics.ts'
import { clusterOf, type NamedCluster } from '../named-cluster.ts'
import { partitionIndex } from '../partition-index.ts'
import type { LogPartition } from './check-record.ts'
import { IdHashes } from './id-hashes.ts'
import { Findings, type FindingsSummary, type VerifyPart } from './finding.ts'
import { reportRepeatedIds } from './repeated-ids.ts'
import { type StreamSample, sampleOf, wholeLog } from './sample.ts'
import { noCounts, type VerifyCounts } from './verify-counts.ts'
import { PartitionVerifier } from './verify-partition.ts'
import { verifyProjection } from './verify-projections.ts'
import { verifyViews } from './verify-views.ts'

export interface VerifyRequest {
  /** Aggregate types; none means all of the domain. */
  readonly types: readonly string[]
  readonly parts: readonly VerifyPart[]
  /** Verifies only a sample of about this many streams; undefined: all. */
  readonly sample?: number
  readonly seed: string
  /** Number of findings to keep; all are counted. */
  readonly findingsMax: number
}

export type VerifyControl = JobControl<'comparing'>

/** `interrupted`: the rest was not verified. */
export interface Verification {
  readonly status: 'compared' | 'interrupted'
  readonly cluster: NamedCluster
  readonly counts: Readonly<VerifyCounts>
  readonly findings: FindingsSummary
  /** Share of the streams that were verified. */
  readonly fraction: number
  readonly tookMs: number
}

type Progress = PhaseProgress<'comparing'>

/** How long all owners together may take to bring their indexes up to the end of the log. */
const patienceMs = 5_000

/**
 * Compares index, snapshots, projections and views with the log. It only reads.
 * @throws InvalidInputError for a type that the domain does not have; OperationError `no-topic` for one without a topic; LogError, IndexUnavailableError, ViewStoreUnavailableError,
 *   SchemaError `registry-unreachable`.
 */
export function verify(
  config: Config,
  backends: ReadingBackends,
  request: VerifyRequest,
  control: VerifyControl,
): Promise<Verification> {
  return timed(() => verifyAll({ config, backends, request, control }))
}

async function verifyAll(parts: VerifyParts): Promise<Omit<Verification, 'tookMs'>> {
  const { config, backends, request, control } = parts
  const aggregates = aggregatesAsked(backends.domain, request.types)
  const names = backends.domain.aggregates.flatMap(({ type }) => [eventTopic(type), snapshotTopic(type)])
  const topics = await unlessAborted(control.signal, new Topics(backends.cluster).describe(names))
  if (topics === undefined) return new Verifying(parts, [], []).run([])
  const cluster = clusterOf(backends.cluster, config)
  const missing = checkTopics(aggregates, request.types, topics, cluster)
  return new Verifying(parts, aggregates, topics).run(missing)
}

const topicMissing =
  'the topic does not exist: all events of its type are lost, or no writer with this domain has ever started here'

interface VerifyParts {
  readonly config: Config
  readonly backends: ReadingBackends
  readonly request: VerifyRequest
  readonly control: VerifyControl
}

class Verifying {
  readonly #config: Config
  readonly #backends: ReadingBackends
  readonly #request: VerifyRequest
  readonly #control: VerifyControl
  readonly #parts: ReadonlySet<VerifyPart>
  readonly #aggregates: readonly Aggregate[]
  readonly #topics: ReadonlyMap<string, TopicDescription>
  readonly #reader: LogReader
  readonly #findings: Findings
  readonly #counts = noCounts()
  readonly #ids = new IdHashes()

  constructor(
    { config, backends, request, control }: VerifyParts,
    aggregates: readonly Aggregate[],
    topics: readonly TopicDescription[],
  ) {
    this.#config = config
    this.#backends = backends
    this.#request = request
    this.#control = control
    this.#parts = new Set(request.parts)
    this.#aggregates = aggregates
    this.#topics = new Map(topics.map((topic) => [topic.name, topic]))
    this.#reader = new LogReader(backends.cluster)
    this.#findings = new Findings(request.findingsMax)
  }

  /** @param missing topics that do not exist. */
  async run(missing: readonly string[]): Promise<Omit<Verification, 'tookMs'>> {
    const { signal } = this.#control
    for (const topic of missing) this.#findings.add('log', 'topic-missing', topicMissing, { topic })
    const partitions = this.#aggregates.flatMap(({ type }) => this.#partitionsOf(type))
    const offsets = await unlessAborted(signal, this.#offsetsIn(partitions))
    const sample = (await unlessAborted(signal, this.#sample(partitions))) ?? wholeLog
    const progress = new PhaseProgress(this.#control, { phase: 'comparing', unit: 'offsets' }, offsets)
    await this.#verifyPartitions(partitions, sample, progress)
    if (!signal.aborted) await this.#verifyProjections(progress)
    if (!signal.aborted) this.#noteNothing(partitions)
    return {
      status: signal.aborted ? 'interrupted' : 'compared',
      cluster: clusterOf(this.#backends.cluster, this.#config),
      counts: this.#counts,
      findings: this.#findings.summary(),
      fraction: sample.fraction,
    }
  }

  /** A run that compared nothing proves nothing: that is a finding. */
  #noteNothing(partitions: readonly LogPartition[]): void {
    if (this.#counts.events > 0 || this.#findings.total > 0) return
    const message = `nothing to compare: ${partitions.length} partitions without any of the requested events`
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

  /** The number of streams comes from the indexes. Without an index everything is verified. */
  async #sample(partitions: readonly LogPartition[]): Promise<StreamSample> {
    const { sample, seed } = this.#request
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
    sample: StreamSample,
    progress: Progress,
  ): Promise<void> {
    const parts = this.#parts
    const { signal } = this.#control
    if (!['log', 'index', 'snapshots'].some((part) => parts.has(part as VerifyPart))) return
    const context = {
      reader: this.#reader,
      codec: this.#backends.codec,
      findings: this.#findings,
      counts: this.#counts,
      ids: this.#ids,
      snapshotTopics: new Set(this.#topics.keys()),
      patience: { leftMs: patienceMs },
      advance: (by: number) => progress.advance(by),
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
      // A stream is in one partition, and ids are compared within a stream.
      await this.#reportRepeated(place, sample)
    }
  }

  #reportRepeated(place: LogPartition, sample: StreamSample): Promise<void> {
    return reportRepeatedIds(this.#ids.takeRepeated(), place, sample, this.#reader, this.#findings)
  }

  async #verifyProjections(progress: Progress): Promise<void> {
    const parts = this.#parts
    if (!parts.has('projections') && !parts.has('views')) return
    const types = this.#aggregates.map(({ type }) => type)
    const projections = this.#backends.domain.projections.filter(({ sources }) =>
      sources.some((type) => types.includes(type)),
    )
    const store = openViewStore(this.#config, this.#backends.redis)
    try {
      for (const projection of projections) await this.#verifyProjection(projection, store, progress)
    } finally {
      await store.close()
    }
  }

  async #verifyProjection(
    projection: Projection,
    store: Pick<ViewStore, 'generations' | 'views' | 'parked'>,
    progress: Progress,
  ): Promise<void> {
    const parts = this.#parts
    const { signal } = this.#control
    const shared = {
      ...{ store, signal },
      topics: this.#topics,
      reader: this.#reader,
      codec: this.#backends.codec,
      findings: this.#findings,
      counts: this.#counts,
      advance: (by: number) => progress.advance(by),
    }
    if (parts.has('projections')) await verifyProjection(projection, shared)
    if (!parts.has('views') || signal.aborted) return
    progress.extend(await this.#offsetsIn(projection.sources.flatMap((type) => this.#partitionsOf(type))))
    await verifyViews(projection, shared)
  }
}
