import { expect, test } from 'vitest'

import { deadLetterTopicSpecs } from './dead-letter-log.ts'

test('projections that park events have a topic of dead letters that accepts the largest event', () => {
  const projections = [
    { name: 'totals', onError: 'stop' },
    { name: 'mails', onError: 'dead-letter' },
  ] as const
  const kafka = { partitions: 6, replication: 3, minInsyncReplicas: 2, messageBytesMax: 1_000_000 }
  expect(deadLetterTopicSpecs(projections, kafka)).toEqual([
    {
      name: 'deadletters.mails',
      partitions: 6,
      replication: 3,
      configs: {
        'cleanup.policy': 'delete',
        'retention.ms': '-1',
        'retention.bytes': '-1',
        'min.insync.replicas': '2',
        'max.message.bytes': '1016384',
      },
    },
  ])
})
