import { type Aggregate, eventTopic } from '#domain'

import { CommandError } from './failure.ts'
import { clusterText, type NamedCluster } from './named-cluster.ts'

/**
 * The event topics of these aggregates that are not there.
 * @param asked the types that were named; where none was, some may be missing, but not all.
 * @param topics those that are there.
 * @throws CommandError `no-topic`, naming the cluster, for a type that was named, or where there is nothing to look at.
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
    throw noTopic(`there is no aggregate type to look at: set ANNALS_DOMAIN as for the services`)
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

const noTopic = (message: string): CommandError =>
  new CommandError({ exitCode: 1, code: 'no-topic', message })
