import { Counter, type Registry } from 'prom-client'

import { eventTopic } from '#domain'
import { PartitionIndex } from '#redis-index'

import type { WriterService } from '../../services/writer/index.ts'
import { type RunningWriter, startWriter } from '../contenders/core.ts'
import { untilAtLeast } from '../project-progress.ts'
import { scaleType } from './fill.ts'

type Environment = Readonly<Record<string, string>>

/** Starts a writer after another one has stopped. @returns it, and how long its partitions took from the fence to serving. */
export async function takeOver(
  env: Environment,
): Promise<{ readonly writer: RunningWriter; readonly takeOverMs: number }> {
  const writer = await startWriter(env)
  const metric = writer.metrics.getSingleMetric('annals_writer_take_over_seconds')
  const { values } = (await metric?.get()) ?? { values: [] }
  return { writer, takeOverMs: 1_000 * meanOf(values) }
}

/** A value of a histogram of prom-client, as far as it is used here. */
interface HistogramValue {
  readonly metricName?: string
  readonly value: number
}

/** The mean of a histogram, from its sum and its count; 0 without observations. */
export function meanOf(values: readonly HistogramValue[]): number {
  const total = (suffix: string) =>
    values.reduce((sum, { metricName, value }) => (metricName?.endsWith(suffix) ? sum + value : sum), 0)
  const count = total('_count')
  return count === 0 ? 0 : total('_sum') / count
}

/** Deletes the index of all partitions. No writer may run. */
export async function dropIndex({ backends, config }: RunningWriter): Promise<void> {
  for (let partition = 0; partition < config.kafka.partitions; partition++) {
    const index = new PartitionIndex(backends.redis, {
      topic: eventTopic(scaleType),
      partition,
      aggregateType: scaleType,
      snapshotTtlSeconds: 1,
      rememberedIdsMax: config.index.rememberedIdsMax,
    })
    await index.drop()
  }
}

/**
 * Starts a writer on an empty index.
 * @param events in the log
 * @returns the writer, and the time from its first indexed event until it serves all partitions
 */
export async function rebuild(
  env: Environment,
  events: number,
): Promise<{ readonly writer: RunningWriter; readonly rebuildMs: number }> {
  let rebuildMs = 0
  const writer = await startWriter(env, async (service, metrics) => {
    const indexed = () => counterValue(metrics, 'annals_writer_catch_up_events_total')
    await untilAtLeast(1, indexed)
    const startMs = performance.now()
    await untilAtLeast(events, indexed)
    await untilAtLeast(1, () => servedPartitions(service))
    rebuildMs = performance.now() - startMs
  })
  return { writer, rebuildMs }
}

function servedPartitions({ writer }: WriterService): number {
  try {
    return writer.checkServing().owned
  } catch {
    return 0
  }
}

/** The sum over all labels. */
export async function counterValue(metrics: Registry, name: string): Promise<number> {
  const counter = metrics.getSingleMetric(name)
  if (!(counter instanceof Counter)) throw new Error(`there is no counter ${name}`)
  const { values } = await counter.get()
  return values.reduce((sum, { value }) => sum + value, 0)
}
