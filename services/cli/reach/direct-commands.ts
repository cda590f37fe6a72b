import { followingProjection, operatingProjection } from './api-commands.ts'
import {
  auditing,
  describingServices,
  describingWriters,
  onCluster,
  onTopics,
  onTransactionalIds,
  when,
} from './kafka-rights.ts'
import type { CommandReach, KafkaRight, Use } from './reach.ts'

const connects: Use = { does: 'connects' }
const reads: Use = { does: 'reads' }
const writes: Use = { does: 'writes' }

const eventsRead = onTopics('eventstore.*', 'Read', 'DescribeConfigs')
const derivedRead = ['snapshots.*', 'projections.*', 'deadletters.*'].map((name) =>
  onTopics(name, 'Read', 'DescribeConfigs'),
)
const snapshotsRead = onTopics('snapshots.*', 'Read', 'DescribeConfigs')

const inspecting: CommandReach = {
  kafka: [eventsRead, ...derivedRead, onCluster('Describe', 'DescribeConfigs')],
  redis: reads,
  views: reads,
}

const verifying: CommandReach = {
  kafka: [eventsRead, snapshotsRead],
  redis: reads,
  registry: reads,
  views: reads,
}

const isChanging = 'without --dry-run'

const repartitioning: readonly KafkaRight[] = [
  eventsRead,
  ...describingServices,
  ...when('--dry-run', onCluster('Describe')),
  ...when(
    isChanging,
    onTopics('eventstore.*', 'Write', 'Create', 'Delete'),
    onTopics('repartition.*', 'Read', 'Write', 'Create', 'Delete', 'DescribeConfigs'),
    onTopics('repartition-journal.*', 'Read', 'Write', 'Create', 'Delete', 'DescribeConfigs'),
    onTopics('snapshots.*', 'Delete'),
    onTransactionalIds('annals.eventstore.*'),
    onTransactionalIds('annals.repartition.*'),
    onTransactionalIds('annals.repartition-journal.*'),
  ),
  ...auditing,
]

const restoring: readonly KafkaRight[] = [
  eventsRead,
  onTopics('deadletters.*', 'Read', 'DescribeConfigs'),
  onTopics('restore-journal.*', 'Read', 'DescribeConfigs'),
  ...describingServices,
  ...when(
    isChanging,
    onTopics('eventstore.*', 'Write', 'Create'),
    onTopics('deadletters.*', 'Write', 'Create'),
    onTopics('restore-journal.*', 'Write', 'Create', 'Delete'),
    onTransactionalIds('annals.eventstore.*'),
    onTransactionalIds('annals.deadletters.*'),
    onTransactionalIds('annals.restore-journal.*'),
  ),
  ...when('--verify', onTopics('snapshots.*', 'Describe', 'DescribeConfigs')),
  ...auditing,
]

const replaying: readonly KafkaRight[] = [
  onTopics('eventstore.*', 'Read'),
  ...when(
    '--to-topic <name>',
    onTopics('<name>', 'Read', 'Write', 'DescribeConfigs'),
    onTransactionalIds('annals.<name>.*'),
  ),
  ...when('--create', onTopics('<name>', 'Create')),
  ...auditing,
]

const examining: readonly KafkaRight[] = [
  eventsRead,
  ...derivedRead,
  onTopics('annals-doctor-*', 'Read', 'Write', 'Create', 'Delete', 'DescribeConfigs'),
  onTransactionalIds('annals.annals-doctor-*'),
  describingWriters,
  onCluster('DescribeConfigs'),
]

/** Commands that reach Kafka, Redis or the registry without a service. */
export const directCommands = {
  doctor: { kafka: examining, redis: reads, registry: reads, views: reads },
  verify: verifying,
  'index verify': verifying,
  'index rebuild': {
    api: [
      { service: 'writer', actions: [] },
      { service: 'writer', actions: ['read'], on: 'stream' },
    ],
    kafka: [eventsRead, describingWriters, ...auditing],
    redis: writes,
  },
  audit: { kafka: [onTopics('annals.audit', 'Read')] },
  backup: {
    kafka: [
      eventsRead,
      onTopics('deadletters.*', 'Read', 'DescribeConfigs'),
      onTopics('repartition-journal.*', 'Describe'),
      onTopics('restore-journal.*', 'Describe'),
      ...when('--every-bytes', onCluster('Describe')),
    ],
    registry: reads,
  },
  restore: {
    kafka: restoring,
    redis: { does: 'reads', when: '--verify' },
    registry: { does: 'writes', when: isChanging },
  },
  replay: {
    api: [operatingProjection, followingProjection].map((need) => ({ ...need, when: '--to-projection' })),
    kafka: replaying,
    registry: { does: 'reads', when: 'without --to-topic' },
  },
  'topics list': inspecting,
  'topics check': inspecting,
  'topics create': {
    kafka: ['eventstore.*', 'snapshots.*'].map((name) =>
      onTopics(name, 'Create', 'Describe', 'DescribeConfigs'),
    ),
    redis: connects,
  },
  'topics repartition': { kafka: repartitioning, redis: writes },
  'schemas push': { registry: writes },
} as const satisfies Readonly<Record<string, CommandReach>>
