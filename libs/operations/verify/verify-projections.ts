import { eventTopic, parsePartition, type Projection } from '#domain'
import { type LogReader, type TopicDescription } from '#kafka'
import { type GenerationState, type ViewStore } from '#projections'

import type { Findings, Where } from './finding.ts'
import type { VerifyCounts } from './verify-counts.ts'

interface ProjectionsVerification {
  readonly store: Pick<ViewStore, 'generations'>
  readonly reader: Pick<LogReader, 'endOffset'>
  /** Topics by name. */
  readonly topics: ReadonlyMap<string, TopicDescription>
  readonly findings: Findings
  readonly counts: VerifyCounts
}

/** Verifies that the generations of a projection belong to this log, and that no checkpoint is beyond its end. @throws ViewStoreUnavailableError, LogError */
export async function verifyProjection(
  projection: Projection,
  context: ProjectionsVerification,
): Promise<void> {
  const states = await context.store.generations.list(projection)
  for (const state of states.filter(({ status }) => status !== 'retired')) {
    context.counts.generations++
    await verifyGeneration(projection, state, context)
  }
}

async function verifyGeneration(
  projection: Projection,
  state: GenerationState,
  { topics, reader, findings }: ProjectionsVerification,
): Promise<void> {
  const report = (code: string, message: string, where: Where) =>
    findings.add('projections', code, message, {
      projection: projection.name,
      generation: state.id,
      ...where,
    })
  const replaced = projection.sources
    .map((type) => eventTopic(type))
    .filter((topic) => state.topicIds[topic] !== topics.get(topic)?.topicId)
  for (const topic of replaced) {
    report('generation-of-another-log', `it was built from another topic with the name ${topic}`, { topic })
  }
  for (const [key, checkpoint] of state.checkpoints) {
    const source = parsePartition(key)
    if (replaced.includes(source.topic)) continue
    if (source.partition >= (topics.get(source.topic)?.partitions ?? 0)) {
      report(
        'checkpoint-without-source',
        `it has a checkpoint for ${key}, but that partition does not exist`,
        {
          ...source,
        },
      )
      continue
    }
    const end = await reader.endOffset(source.topic, source.partition)
    if (checkpoint >= 0 && checkpoint <= end) continue
    report('checkpoint-beyond-log', `the checkpoint is ${checkpoint}, the log ends at ${end}`, { ...source })
  }
}
