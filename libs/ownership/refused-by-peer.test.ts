import { expect, test } from 'vitest'

import { EventStoreError } from '#event-store'

import { refusedByPeer } from './refused-by-peer.ts'

test('a rejected token of this process is not the fault of the caller', () => {
  const refused = new EventStoreError('unauthenticated', 'the peer token has expired')
  expect(refusedByPeer(refused)).toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/the peer token has expired.*ANNALS_PEER_SECRET/) as string,
    cause: refused,
  })
})

test.each([new EventStoreError('forbidden', 'no'), new EventStoreError('not-owner', 'no'), new Error('no')])(
  'other errors stay as they are',
  (error) => expect(refusedByPeer(error)).toBe(error),
)
