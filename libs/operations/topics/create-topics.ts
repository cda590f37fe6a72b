import type { Config } from '#config'
import { type TopicDescription, Topics } from '#kafka'
import { type Connections, eventTopicSpec, snapshotTopicSpec } from '#service'

import { aggregatesAsked } from '../aggregates-asked.ts'

export interface CreatedTopic extends Pick<TopicDescription, 'name' | 'partitions' | 'replication'> {
  /** False where it was there already. */
  readonly created: boolean
}

/**
 * Creates the topics of an aggregate type as the services would, for clusters where services may not create topics.
 * @throws InvalidInputError for a type that the domain does not have; LogError `refused` where a topic has another count of partitions, or may not be made.
 */
export async function createTopics(
  { kafka }: Config,
  { domain, cluster }: Pick<Connections, 'domain' | 'cluster'>,
  { aggregateType }: { readonly aggregateType: string },
): Promise<readonly CreatedTopic[]> {
  const [aggregate] = aggregatesAsked(domain, [aggregateType])
  const events = eventTopicSpec(aggregateType, kafka)
  const hasSnapshots = aggregate?.snapshot.schema !== undefined
  const specs = [
    events,
    ...(hasSnapshots ? [snapshotTopicSpec(aggregateType, events.partitions, kafka)] : []),
  ]
  const topics = new Topics(cluster)
  const before = new Set((await topics.describe(specs.map(({ name }) => name))).map(({ name }) => name))
  const made = await topics.ensure(specs)
  return made.map(({ name, partitions, replication }) => ({
    ...{ name, partitions, replication },
    created: !before.has(name),
  }))
}
