import type { KafkaOperation, KafkaRight } from './reach.ts'

export const onTopics = (name: string, ...rights: readonly KafkaOperation[]): KafkaRight => ({
  ...{ resource: 'topics', name, rights },
})

export const onTransactionalIds = (name: string): KafkaRight => ({
  ...{ resource: 'transactional ids', name, rights: ['Write'] },
})

export const onCluster = (...rights: readonly KafkaOperation[]): KafkaRight => ({
  ...{ resource: 'cluster', name: 'kafka-cluster', rights },
})

/** The same rights, needed only with that option or setting. */
export const when = (condition: string, ...rights: readonly KafkaRight[]): readonly KafkaRight[] =>
  rights.map((right) => ({ ...right, when: condition }))

const describingGroup = (service: string): KafkaRight => ({
  ...{ resource: 'groups', name: `annals-${service}`, rights: ['Describe'] },
})

/** Who owns which partition. */
export const describingWriters = describingGroup('writer')

/** Whether a service is running. */
export const describingServices = ['writer', 'snapshotter', 'projector'].map(describingGroup)

/** What a change to Kafka adds to the audit trail. */
export const auditing = when('with access control', onTopics('annals.audit', 'Write', 'Create'))
