import type { CommandFailure } from '../failure.ts'
import { commandReach } from './command-reach.ts'
import type { KafkaResource, KafkaRight } from './reach.ts'
import { rightsPage } from './reach-help.ts'

const resources: Readonly<Record<string, KafkaResource>> = {
  TOPIC_AUTHORIZATION_FAILED: 'topics',
  GROUP_AUTHORIZATION_FAILED: 'groups',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'transactional ids',
  CLUSTER_AUTHORIZATION_FAILED: 'cluster',
}

/** Adds to a failure because of a missing right in Kafka which rights the command needs there. Returns any other failure unchanged. */
export function withRightsAdvice(failure: CommandFailure, path: string): CommandFailure {
  const { kafkaCode = '' } = (failure.details ?? {}) as { readonly kafkaCode?: string }
  const resource = resources[kafkaCode]
  if (resource === undefined) return failure
  const rights = (commandReach[path]?.kafka ?? []).filter((right) => right.resource === resource)
  const named = rights.filter(({ name }) => failure.message.includes(name.replace(/\*$/, '')))
  const needed = (named.length > 0 ? named : rights).map(rightText)
  const what = needed.length === 0 ? '' : `annals ${path} needs ${needed.join('; ')}. `
  return { ...failure, message: `${failure.message}. ${what}${rightsPage} lists the required rights` }
}

const rightText = ({ resource, name, rights, when }: KafkaRight): string => {
  const on = resource === 'cluster' ? 'the cluster' : `${resource} ${name}`
  return `${rights.join(', ')} on ${on}${when === undefined ? '' : ` (${when})`}`
}
