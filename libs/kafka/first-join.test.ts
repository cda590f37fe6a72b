import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'

import { firstJoin } from './first-join.ts'

const { KafkaJSConnectionError, KafkaJSProtocolError, KafkaJSSASLAuthenticationError } = kafkajs

const protocolError = (type: string): Error =>
  new KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 1, retriable: false }))
// The package's types for this constructor are wrong.
const wrongPassword = Object.assign(Object.create(KafkaJSSASLAuthenticationError.prototype) as Error, {
  message: 'wrong password',
})
const loading = protocolError('GROUP_LOAD_IN_PROGRESS')

function tries(errors: readonly Error[], timeoutMs = 10_000) {
  const problems: unknown[] = []
  const left = [...errors]
  const join = () => {
    const error = left.shift()
    return error ? Promise.reject(error) : Promise.resolve('joined')
  }
  const options = {
    groupId: 'annals',
    timeoutMs,
    pauseMs: 1,
    onProblem: (error: unknown) => problems.push(error),
  }
  return { problems, left, joined: firstJoin(options, join) }
}

test('it joins once the coordinator is up, and reports each problem before that', async () => {
  const { joined, problems } = tries([loading, new KafkaJSConnectionError('no broker')])
  expect(await joined).toBe('joined')
  expect(problems).toHaveLength(2)
})

test.each([
  ['a right is missing', protocolError('GROUP_AUTHORIZATION_FAILED')],
  [
    'a right is missing, as a nested cause',
    new Error('gave up', { cause: protocolError('TOPIC_AUTHORIZATION_FAILED') }),
  ],
  ['the login is wrong', wrongPassword],
])('it gives up immediately when %s', async (_, error) => {
  const { joined, left } = tries([error, loading])
  await expect(joined).rejects.toThrow(/group annals .* will not help/)
  expect(left).toEqual([loading])
})

test('it gives up at the time-out', async () => {
  const { joined } = tries([loading], 0)
  await expect(joined).rejects.toMatchObject({ outcome: 'unavailable' })
})
