import { type Aggregate, eventTopic } from '#domain'

import { OperationError } from './operation-error.ts'
import { clusterText, type NamedCluster } from './named-cluster.ts'

/**
 * The event topics of these aggregates that do not exist.
 * @param asked the types of the request. If it has none, some topics may be missing, but not all.
 * @param topics the existing ones.
 * @throws OperationError `no-topic`, naming the cluster, for a requested type without a topic, or if no topic exists.
 */
export function checkTopics(
  aggregates: readonly Pick<Aggregate, 'type'>[],
  asked: readonly string[],
  topics: readonly { readonly name: string }[],
  cluster: NamedCluster,
): readonly string[] {
  const missing = aggregates
    .map(({ type }) => eventTopic(type))
    .filter((name) => !topics.some((topic) => topic.name === name))
  if (aggregates.length === 0) {
    throw noTopic('the domain has no aggregate types: set ANNALS_DOMAIN to the value that the services use')
  }
  if (missing.length > 0 && (asked.length > 0 || missing.length === aggregates.length)) {
    const names = missing.length === 1 ? `topic ${missing.join()}` : `topics ${missing.join(', ')}`
    throw noTopic(
      `there ${missing.length === 1 ? 'is no' : 'are no'} ${names} in ${clusterText(cluster)}. ` +
        'Is that the right cluster (ANNALS_KAFKA_BROKERS), and has a writer with this domain (ANNALS_DOMAIN) ever started there?',
    )
  }
  return missing
}

const noTopic = (message: string): OperationError => new OperationError('no-topic', message)
