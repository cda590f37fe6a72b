import { expect, test } from 'vitest'

import type { CommandFailure } from '../failure.ts'
import { withRightsAdvice } from './rights-advice.ts'

const denied = (kafkaCode: string, message: string): CommandFailure => ({
  ...{ exitCode: 1, code: 'kafka-refused', message, details: { kafkaCode } },
})

const adviceOn = (path: string, kafkaCode: string, message = 'asking failed'): string =>
  withRightsAdvice(denied(kafkaCode, message), path).message

test('a missing right is named by what the command needs on that resource', () => {
  expect(adviceOn('audit', 'TOPIC_AUTHORIZATION_FAILED')).toBe(
    'asking failed. annals audit needs Read on topics annals.audit. docs/operations/rights.md lists the required rights',
  )
  expect(adviceOn('index rebuild', 'GROUP_AUTHORIZATION_FAILED')).toContain(
    'annals index rebuild needs Describe on groups annals-writer. ',
  )
  expect(adviceOn('topics list', 'CLUSTER_AUTHORIZATION_FAILED')).toContain(
    'needs Describe, DescribeConfigs on the cluster. ',
  )
  expect(adviceOn('replay', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')).toContain(
    'needs Write on transactional ids annals.<name>.* (--to-topic <name>). ',
  )
})

test('of several topics only the one in the message is named', () => {
  const advice = adviceOn('verify', 'TOPIC_AUTHORIZATION_FAILED', 'reading snapshots.order/0 failed')
  expect(advice).toContain('needs Read, DescribeConfigs on topics snapshots.*. ')
  expect(advice).not.toContain('eventstore')
})

test('a command without a declared right still points to the page, and other failures are unchanged', () => {
  expect(adviceOn('audit', 'GROUP_AUTHORIZATION_FAILED')).toBe(
    'asking failed. docs/operations/rights.md lists the required rights',
  )
  const other = denied('MESSAGE_TOO_LARGE', 'too large')
  expect(withRightsAdvice(other, 'audit')).toBe(other)
})
