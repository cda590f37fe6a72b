import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

import type { SnapshotBuilds } from '#event-store'

/** The values of an owned partition at a scrape. */
interface PartitionStatus {
  readonly topic: string
  readonly partition: number
  readonly lagEvents: number
  readonly checkpointAgeMs: number
}

interface BuildTimes {
  readonly count: number
  readonly totalMs: number
  readonly maxMs: number
}

const noBuilds: BuildTimes = { count: 0, totalMs: 0, maxMs: 0 }

/** The metrics of the snapshotter. Names end in their units. */
export class SnapshotterMetrics {
  readonly #snapshots: Counter<'type'>
  readonly #failures: Counter<'type'>
  readonly #buildSeconds: Histogram<'type'>
  readonly #bytes: Histogram<'type'>
  readonly #builds = new Map<string, BuildTimes>()

  /** @param partitions the owned ones, asked at each scrape. */
  constructor(registry: Registry, partitions: () => readonly PartitionStatus[]) {
    const common = { labelNames: ['type'] as const, registers: [registry] }
    this.#snapshots = new Counter({
      name: 'annals_snapshotter_snapshots_total',
      help: 'Snapshots taken, by aggregate type',
      ...common,
    })
    this.#failures = new Counter({
      name: 'annals_snapshotter_failures_total',
      help: 'Snapshots that could not be taken, by aggregate type',
      ...common,
    })
    this.#buildSeconds = new Histogram({
      name: 'annals_snapshotter_build_seconds',
      help: 'Time to load, fold and encode one aggregate',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
      ...common,
    })
    this.#bytes = new Histogram({
      name: 'annals_snapshotter_bytes',
      help: 'Size of encoded states, before compression by Kafka',
      buckets: [50, 100, 200, 500, 1_000, 5_000, 20_000, 100_000, 1_000_000],
      ...common,
    })
    addPartitionGauges(registry, partitions)
  }

  /** @param buildMs time to load, fold and encode. */
  taken(type: string, buildMs: number, bytes: number): void {
    this.#snapshots.inc({ type })
    this.#buildSeconds.observe({ type }, buildMs / 1_000)
    this.#bytes.observe({ type }, bytes)
    const { count, totalMs, maxMs } = this.#builds.get(type) ?? noBuilds
    const times = { count: count + 1, totalMs: totalMs + buildMs, maxMs: Math.max(maxMs, buildMs) }
    this.#builds.set(type, times)
  }

  failed(type: string): void {
    this.#failures.inc({ type })
  }

  builds(type: string): SnapshotBuilds {
    const { count, totalMs, maxMs } = this.#builds.get(type) ?? noBuilds
    return { count, meanMs: rounded(totalMs / Math.max(1, count)), maxMs: rounded(maxMs) }
  }
}

const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000

function addPartitionGauges(registry: Registry, partitions: () => readonly PartitionStatus[]): void {
  const ofEach = (name: string, help: string, valueOf: (status: PartitionStatus) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['topic', 'partition'],
      registers: [registry],
      collect() {
        // A partition that moved to another instance is reported there.
        this.reset()
        for (const status of partitions()) {
          this.set({ topic: status.topic, partition: status.partition }, valueOf(status))
        }
      },
    })
  ofEach(
    'annals_snapshotter_lag_events',
    'Offsets between the checkpoint and the end of the log',
    ({ lagEvents }) => lagEvents,
  )
  ofEach(
    'annals_snapshotter_checkpoint_age_seconds',
    'Time since the checkpoint was last moved or verified',
    ({ checkpointAgeMs }) => checkpointAgeMs / 1_000,
  )
}
