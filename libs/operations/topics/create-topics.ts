import type { Config } from '#config'
import { type TopicDescription, Topics } from '#kafka'
import { type Connections, eventTopicSpec, snapshotTopicSpec } from '#service'

import { aggregatesAsked } from '../aggregates-asked.ts'

export interface CreatedTopic extends Pick<TopicDescription, 'name' | 'partitions' | 'replication'> {
  /** False if it already existed. */
  readonly created: boolean
}

/**
 * Creates the topics of an aggregate type with the settings that the services use, for clusters where services must not create topics.
 * @throws InvalidInputError for a type that the domain does not have; LogError `refused` if a topic has another number of partitions, or the
 *   user must not create it.
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
