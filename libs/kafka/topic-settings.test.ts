import { describe, expect, test } from 'vitest'

import { brokerFindings, type TopicDescription, topicFindings, type TopicKind } from './topic-settings.ts'

const good: TopicDescription = {
  name: 'eventstore.order',
  topicId: 'id',
  partitions: 8,
  replication: 3,
  configs: {
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'min.insync.replicas': '2',
    'unclean.leader.election.enable': 'false',
    'message.timestamp.type': 'CreateTime',
  },
}

const settingsFound = (topic: TopicDescription, kind: TopicKind = 'events', brokers = 3): string[] =>
  topicFindings(topic, kind, brokers).map(({ setting }) => setting)

describe('a topic of events', () => {
  test('with the right settings has no findings', () => {
    expect(settingsFound(good)).toEqual([])
  })

  test.each([
    ['cleanup.policy', 'compact'],
    ['retention.ms', '604800000'],
    ['retention.bytes', '1000000'],
    ['min.insync.replicas', '1'],
    ['unclean.leader.election.enable', 'true'],
    ['message.timestamp.type', 'LogAppendTime'],
  ])('with %s at %s is reported', (setting, actual) => {
    const [finding, ...rest] = topicFindings(
      { ...good, configs: { ...good.configs, [setting]: actual } },
      'events',
      3,
    )
    expect(finding).toMatchObject({ subject: 'topic eventstore.order', setting, actual })
    expect(rest).toEqual([])
  })

  test('with too few copies is reported, unless there are no more brokers', () => {
    expect(settingsFound({ ...good, replication: 1 })).toEqual(['replication.factor'])
    expect(settingsFound({ ...good, replication: 1 }, 'events', 1)).toEqual([])
  })

  test('without settings in the broker’s answer is reported', () => {
    expect(topicFindings({ ...good, configs: {} }, 'events', 3)[0]?.actual).toBe('unset')
  })
})

test('a compacted topic must be compacted, dead letters must be kept', () => {
  const deleted = { ...good, configs: { ...good.configs, 'retention.ms': '1000' } }
  expect(settingsFound(deleted, 'compacted')).toEqual(['cleanup.policy'])
  expect(settingsFound(deleted, 'dead-letters')).toEqual(['retention.ms'])
})

test('a broker that forgets owners between two renewals is reported', () => {
  const configs = { 'transactional.id.expiration.ms': '3600000', 'producer.id.expiration.ms': '86400000' }
  expect(brokerFindings(2, configs)).toMatchObject([
    { subject: 'broker 2', setting: 'transactional.id.expiration.ms', actual: '3600000' },
  ])
  expect(brokerFindings(2, { ...configs, 'transactional.id.expiration.ms': '604800000' })).toEqual([])
})
