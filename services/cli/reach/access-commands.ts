import { auditing, onTopics, onTransactionalIds, when } from './kafka-rights.ts'
import type { CommandReach } from './reach.ts'

/** The store of access is a topic or a file. */
const inTopic = 'ANNALS_ACCESS=topic'

const looks: CommandReach = { kafka: when(inTopic, onTopics('annals.access', 'Read', 'DescribeConfigs')) }

const changes: CommandReach = {
  kafka: [
    ...when(
      inTopic,
      onTopics('annals.access', 'Read', 'Write', 'Create', 'DescribeConfigs'),
      onTransactionalIds('annals.annals.access.0'),
    ),
    ...auditing,
  ],
}

/** Commands that work on keys, roles and certificates, where the settings say they are. */
export const accessCommands = {
  'access key create': changes,
  'access key rotate': changes,
  'access key list': looks,
  'access key revoke': changes,
  'access key remove': changes,
  'access role put': changes,
  'access role list': looks,
  'access role remove': changes,
  'access certificate put': changes,
  'access certificate list': looks,
  'access certificate remove': changes,
  'access explain': looks,
} as const satisfies Readonly<Record<string, CommandReach>>
