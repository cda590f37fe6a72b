import { AuthenticationError, NetworkError, protocolErrors, ResponseError } from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'

import { classify, type Meaning, meanings, NotSentError } from './kafka-errors.ts'

const byCode: Readonly<Record<string, { readonly code: number }>> = protocolErrors
const answered = (name: string): ResponseError =>
  new ResponseError(0, 9, { '/responses/0': [byCode[name]?.code ?? 0, null] }, undefined)

// A deliberate second copy of the table, to catch a slip in the first.
const expected: Readonly<Record<Meaning, readonly string[]>> = {
  retry: [
    'CORRUPT_MESSAGE',
    'REQUEST_TIMED_OUT',
    'NETWORK_EXCEPTION',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'NOT_ENOUGH_REPLICAS',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'CONCURRENT_TRANSACTIONS',
    'TRANSACTION_COORDINATOR_FENCED',
    'OFFSET_NOT_AVAILABLE',
    'THROTTLING_QUOTA_EXCEEDED',
    'UNKNOWN_SERVER_ERROR',
    'REBALANCE_IN_PROGRESS',
  ],
  refresh: [
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_ID',
    'INCONSISTENT_TOPIC_ID',
    'LEADER_NOT_AVAILABLE',
    'NOT_LEADER_OR_FOLLOWER',
    'BROKER_NOT_AVAILABLE',
    'REPLICA_NOT_AVAILABLE',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'KAFKA_STORAGE_ERROR',
    'COORDINATOR_NOT_AVAILABLE',
    'NOT_COORDINATOR',
    'NOT_CONTROLLER',
  ],
  fenced: ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'],
  'take-over': [
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'DUPLICATE_SEQUENCE_NUMBER',
    'UNKNOWN_PRODUCER_ID',
    'INVALID_PRODUCER_ID_MAPPING',
    'INVALID_TXN_STATE',
    'TRANSACTION_ABORTABLE',
    'TRANSACTIONAL_ID_NOT_FOUND',
  ],
  refused: [
    'MESSAGE_TOO_LARGE',
    'RECORD_LIST_TOO_LARGE',
    'INVALID_RECORD',
    'INVALID_TIMESTAMP',
    'INVALID_TOPIC_EXCEPTION',
    'TOPIC_ALREADY_EXISTS',
    'INVALID_REPLICATION_FACTOR',
    'INVALID_PARTITIONS',
    'INVALID_CONFIG',
    'INVALID_REQUEST',
    'INVALID_REQUIRED_ACKS',
    'INVALID_TRANSACTION_TIMEOUT',
    'POLICY_VIOLATION',
    'UNSUPPORTED_VERSION',
    'UNSUPPORTED_FOR_MESSAGE_FORMAT',
    'UNSUPPORTED_COMPRESSION_TYPE',
    'TOPIC_AUTHORIZATION_FAILED',
    'GROUP_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    'SASL_AUTHENTICATION_FAILED',
    'UNSUPPORTED_SASL_MECHANISM',
    'ILLEGAL_SASL_STATE',
    'SECURITY_DISABLED',
  ],
  'not-there': ['OFFSET_OUT_OF_RANGE'],
}
const rows = Object.entries(expected).flatMap(([meaning, codes]) =>
  codes.map((code) => [code, meaning] as const),
)

describe('an answer of the broker', () => {
  test.each(rows)('%s means %s', (code, meaning) => {
    expect(classify(answered(code))).toMatchObject({ meaning, kafkaCode: code })
  })

  test('has a meaning only for the codes listed here', () => {
    expect(Object.keys(meanings).sort()).toEqual(rows.map(([code]) => code).sort())
  })

  test('with a code that is not in the table is retried, and ends as unknown at the deadline', () => {
    expect(classify(answered('SNAPSHOT_NOT_FOUND')).meaning).toBe('retry')
  })

  test('is found as a nested cause', () => {
    const error = new NotSentError('topic x cannot be found', {
      cause: answered('TOPIC_AUTHORIZATION_FAILED'),
    })
    expect(classify(error)).toMatchObject({ meaning: 'refused', kafkaCode: 'TOPIC_AUTHORIZATION_FAILED' })
  })

  test('keeps the broker’s message', () => {
    const error = new ResponseError(0, 9, { '/': [10, 'The request included a message of 2 MB'] }, undefined)
    expect(classify(error).message).toBe('MESSAGE_TOO_LARGE: The request included a message of 2 MB')
  })
})

test('a lost connection means: look up the leader and retry', () => {
  expect(classify(new NetworkError('Connection closed'))).toMatchObject({ meaning: 'refresh' })
})

test('wrong credentials are refused immediately, however deeply the error is nested', () => {
  const cause = new NetworkError('failed', { cause: new AuthenticationError('SASL authentication failed.') })
  expect(classify(new NotSentError('cannot be reached', { cause })).meaning).toBe('refused')
})
