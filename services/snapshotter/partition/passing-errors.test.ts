import { expect, test } from 'vitest'

import { type ErrorCode, EventStoreError } from '#event-store'

import { callersError, isPassing } from './passing-errors.ts'

test.each<[code: ErrorCode, passing: boolean]>([
  ['unavailable', true],
  ['not-owner', true],
  ['limit-exceeded', true],
  ['log-replaced', true],
  ['unauthenticated', true],
  ['forbidden', true],
  ['stream-not-found', false],
  ['invalid-state', false],
])('the answer %s of a writer is passing: %s', (code, passing) => {
  expect(isPassing(new EventStoreError(code, 'no'))).toBe(passing)
})

test('a caller does not learn that a writer rejects the token of the snapshotter as an error of his own', () => {
  const error = new EventStoreError('unauthenticated', 'the peer token is not signed by a peer')
  expect(callersError(error)).toMatchObject({ code: 'unavailable', cause: error })
})
