import { Gauge, type Registry } from 'prom-client'

import type { TopicPartition } from '#domain'
import type { WaitingPartition } from '#event-log'
import type { GenerationInfo, PartitionInfo, ProjectionInfo } from '#projections'

interface GaugesSource {
  /** The status of all projections. */
  list(): Promise<readonly ProjectionInfo[]>
  /** Whether this instance reads a source partition. Each partition is reported by its reader. */
  owns(source: TopicPartition): boolean
  /** The time when the checkpoint of a generation last moved here; milliseconds since 1970. */
  movedAtMs(generation: string, source: TopicPartition): number
}

type All = readonly ProjectionInfo[]
type Labels = Readonly<Record<string, string | number>>
type Row = readonly [labels: Labels, value: number]

interface GaugeOf<Of extends unknown[]> {
  readonly name: string
  readonly help: string
  readonly valueOf: (...of: Of) => number
}

/** One read of the store serves all gauges of a scrape. */
const lookMsMax = 500

/** Gauges of every projection, read from the store and the ends of the log at each scrape. */
export function addProjectionGauges(registry: Registry, source: GaugesSource): void {
  const look = shared(() => source.list())
  const gauge = (name: string, help: string, labelNames: string[], rowsOf: (all: All) => Row[]) =>
    new Gauge({
      name: `annals_projector_${name}`,
      help,
      labelNames,
      registers: [registry],
      // Removes generations that no longer exist, and all values while the store does not answer.
      async collect() {
        const all = await look().catch(() => [])
        this.reset()
        for (const [labels, value] of rowsOf(all)) this.set(labels, value)
      },
    })
  for (const { name, help, valueOf } of ofGenerations) {
    gauge(name, help, ['projection', 'generation', 'status'], (all) => generationRows(all, valueOf))
  }
  for (const { name, help, valueOf } of ofPartitions) {
    gauge(name, help, ['projection', 'generation', 'topic', 'partition'], (all) =>
      partitionRows(all, source, valueOf),
    )
  }
}

/** @param waiting called at each scrape. */
export function addWaitingGauge(registry: Registry, waiting: () => readonly WaitingPartition[]): void {
  new Gauge({
    name: 'annals_projector_waits_for_operator',
    help: '1 for each source that waits for an operator, by state; without a partition: all partitions of the topic',
    labelNames: ['topic', 'partition', 'state'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { topic, partition, state } of waiting()) {
        this.set({ topic, partition: partition ?? '', state }, 1)
      }
    },
  })
}

const ofGenerations: readonly GaugeOf<[generation: GenerationInfo]>[] = [
  { name: 'generation', help: 'Generations by status: 1 for each', valueOf: () => 1 },
  { name: 'views', help: 'Views of a generation', valueOf: ({ views }) => views },
  {
    name: 'dead_letters_waiting',
    help: 'Parked events',
    valueOf: ({ deadLetters }) => deadLetters,
  },
  {
    name: 'progress_ratio',
    help: 'Part of the log that a generation has processed: 0 to 1',
    valueOf: ({ progress: { done, total } }) => (total === 0 ? 1 : done / total),
  },
]

const ofPartitions: readonly GaugeOf<[partition: PartitionInfo, movedAtMs: number]>[] = [
  {
    name: 'lag_events',
    help: 'Offsets from the checkpoint to the end of the log; 0: caught up',
    valueOf: ({ lag }) => lag,
  },
  {
    name: 'checkpoint_offset',
    help: 'Next offset to apply',
    valueOf: ({ checkpoint }) => checkpoint,
  },
  {
    name: 'checkpoint_age_seconds',
    help: 'Time since the checkpoint last moved here while there are events to apply; otherwise 0',
    valueOf: ({ lag }, movedAtMs) => (lag === 0 ? 0 : (Date.now() - movedAtMs) / 1_000),
  },
  {
    name: 'stopped',
    help: '1 if an event that cannot be applied has stopped the partition',
    valueOf: ({ stopped }) => (stopped === undefined ? 0 : 1),
  },
]

const generationRows = (all: All, valueOf: (generation: GenerationInfo) => number): Row[] =>
  all.flatMap(({ name: projection, generations }) =>
    generations.map((it): Row => [{ projection, generation: it.id, status: it.status }, valueOf(it)]),
  )

const partitionRows = (
  all: All,
  source: GaugesSource,
  valueOf: (partition: PartitionInfo, movedAtMs: number) => number,
): Row[] =>
  all.flatMap(({ name: projection, generations }) =>
    generations.flatMap(({ id: generation, partitions }) =>
      partitions
        .filter((it) => source.owns(it))
        .map((it): Row => {
          const { topic, partition } = it
          return [{ projection, generation, topic, partition }, valueOf(it, source.movedAtMs(generation, it))]
        }),
    ),
  )

function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let askedAtMs = -Infinity
  let answer: Promise<T> | undefined
  return () => {
    if (answer === undefined || performance.now() - askedAtMs > lookMsMax) {
      askedAtMs = performance.now()
      answer = ask()
    }
    return answer
  }
}
