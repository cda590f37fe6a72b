import { expect, test } from 'vitest'

import { deadLetterTopicSpecs } from './dead-letter-log.ts'

test('there are topics of dead letters for projections that set events aside, and room in them for the largest one', () => {
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
