import { eventTopic, parsePartition, type Projection } from '#domain'
import { type LogReader, type TopicDescription } from '#kafka'
import { type GenerationState, type ViewStore } from '#projections'

import type { Findings, Where } from './finding.ts'
import type { VerifyCounts } from './verify-counts.ts'

export interface ProjectionsVerification {
  readonly store: Pick<ViewStore, 'generations'>
  readonly reader: Pick<LogReader, 'endOffset'>
  /** By name. */
  readonly topics: ReadonlyMap<string, TopicDescription>
  readonly findings: Findings
  readonly counts: VerifyCounts
}

/** Looks at the generations of a projection: that they are of this log, and none is further than the log. @throws ViewStoreUnavailableError, LogError */
export async function verifyProjection(
  projection: Projection,
  context: ProjectionsVerification,
): Promise<void> {
  const states = await context.store.generations(projection)
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
  const tell = (code: string, message: string, where: Where) =>
    findings.add('projections', code, message, {
      projection: projection.name,
      generation: state.id,
      ...where,
    })
  const strangers = projection.sources
    .map((type) => eventTopic(type))
    .filter((topic) => state.topicIds[topic] !== topics.get(topic)?.topicId)
  for (const topic of strangers) {
    tell('generation-of-another-log', `it is made from another topic of the name ${topic}`, { topic })
  }
  for (const [key, checkpoint] of state.checkpoints) {
    const source = parsePartition(key)
    if (strangers.includes(source.topic)) continue
    if (source.partition >= (topics.get(source.topic)?.partitions ?? 0)) {
      tell('checkpoint-without-source', `there is a checkpoint for ${key}, and no such partition`, {
        ...source,
      })
      continue
    }
    const end = await reader.endOffset(source.topic, source.partition)
    if (checkpoint >= 0 && checkpoint <= end) continue
    tell('checkpoint-beyond-log', `the checkpoint is ${checkpoint}, the log ends at ${end}`, { ...source })
  }
}
