import { aggregateTypeOfTopic, type DomainModule, eventTopic } from '#domain'
import type { Config } from '#config'
import { type TopicDescription } from '#kafka'
import { type GenerationState, ViewStoreUnavailableError } from '#projections'
import { type RedisConnection, SnapshotCheckpoint } from '#redis-index'
import { openViewStore } from '#service'

import { partitionIndex } from '../partition-index.ts'
import type { LogFinding } from './log-finding.ts'

interface ForeignCopiesParts {
  readonly redis: RedisConnection
  readonly config: Config
  readonly domain: DomainModule
  readonly topics: readonly TopicDescription[]
}

/** Finds copies (index, snapshots, views) of a deleted topic whose name was reused. */
export async function foreignCopies(parts: ForeignCopiesParts): Promise<readonly LogFinding[]> {
  const { domain, topics } = parts
  const names = new Set(domain.aggregates.map(({ type }) => eventTopic(type)))
  const findings: LogFinding[] = []
  const generations = await servingGenerations(parts)
  for (const topic of topics.filter(({ name }) => names.has(name))) {
    const copies = [
      ...(await idsOfIndex(parts, topic)),
      ...(await idsOfSnapshots(parts, topic)),
      ...idsOfViews(generations, topic),
    ]
    const foreign = copies.filter(({ topicId }) => topicId !== topic.topicId)
    if (foreign.length > 0) findings.push(replaced(topic, foreign))
  }
  return findings
}

interface Copy {
  /** `the index of partition 3` */
  readonly what: string
  readonly topicId: string
}

function replaced({ name, topicId }: TopicDescription, foreign: readonly Copy[]): LogFinding {
  return {
    status: 'fail',
    subject: `topic ${name}`,
    setting: 'topic id',
    actual: topicId,
    recommended: [...new Set(foreign.map((copy) => copy.topicId))].join(' or '),
    why: `${foreign.map(({ what }) => what).join(', ')} ${foreign.length === 1 ? 'belongs' : 'belong'} to a deleted topic of this name`,
    remedy:
      'If the topic was recreated on purpose, restart the services: they rebuild everything from the new log. ' +
      'If not, stop the services and restore a backup (docs/operations/failover.md)',
  }
}

async function idsOfIndex(
  { config, redis }: ForeignCopiesParts,
  { name, partitions }: TopicDescription,
): Promise<Copy[]> {
  const copies: Copy[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const place = { topic: name, partition, aggregateType: aggregateTypeOfTopic(name) }
    const guard = await partitionIndex(config, redis, place).guard()
    if (guard !== undefined)
      copies.push({ what: `the index of partition ${partition}`, topicId: guard.topicId })
  }
  return copies
}

async function idsOfSnapshots(
  { redis }: ForeignCopiesParts,
  { name, partitions }: TopicDescription,
): Promise<Copy[]> {
  const copies: Copy[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const text = await new SnapshotCheckpoint(redis, name, partition).read()
    if (text === '') continue
    const { topicId } = JSON.parse(text) as { readonly topicId: string }
    copies.push({ what: `the snapshots of partition ${partition}`, topicId })
  }
  return copies
}

interface ServingGeneration extends GenerationState {
  readonly projection: string
}

const idsOfViews = (generations: readonly ServingGeneration[], { name }: TopicDescription): Copy[] =>
  generations.flatMap(({ projection, topicIds }) => {
    const topicId = topicIds[name]
    return topicId === undefined ? [] : [{ what: `projection ${projection}`, topicId }]
  })

/** Empty if the view store does not answer: an inspection of topics does not require it. */
async function servingGenerations({
  config,
  redis,
  domain,
}: ForeignCopiesParts): Promise<ServingGeneration[]> {
  const store = openViewStore(config, redis)
  try {
    const found: ServingGeneration[] = []
    for (const projection of domain.projections) {
      const states = await store.generations.list(projection)
      const serving = states.find(({ status }) => status === 'serving')
      if (serving !== undefined) found.push({ ...serving, projection: projection.name })
    }
    return found
  } catch (error) {
    if (error instanceof ViewStoreUnavailableError) return []
    throw error
  } finally {
    await store.close()
  }
}
