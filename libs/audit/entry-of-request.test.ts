import { expect, test } from 'vitest'

import type { Principal } from '#access'

import { entryOfAct, entryOfDenial, typesOfOperations } from './entry-of-request.ts'

const principal: Principal = {
  ...{ name: 'ada', kind: 'key', roles: ['operator'], credentialId: 'abcdefghij234567', expiresAtMs: 1 },
}

test('a denial becomes an entry, without the query of its path', () => {
  const entry = entryOfDenial({
    ...{ code: 'forbidden', reason: 'no role of ada grants append on order.42', action: 'append' },
    ...{ resource: 'order.42', caller: { principal }, requestId: 'r-1', method: 'POST' },
    ...{ path: '/streams/order.42/events?token=secret', remoteAddress: '10.0.0.7' },
  })
  expect(entry).toEqual({
    ...{ type: 'annals.access.denied', outcome: 'denied', code: 'forbidden', action: 'append' },
    ...{ resource: 'order.42', operation: 'POST /streams/order.42/events', requestId: 'r-1' },
    principal: { name: 'ada', kind: 'key', credentialId: 'abcdefghij234567' },
    ...{ remoteAddress: '10.0.0.7', reason: 'no role of ada grants append on order.42' },
  })
})

test('a denial of an unknown sender has no principal', () => {
  const unknown = {
    code: 'unauthenticated',
    reason: 'no',
    requestId: 'r',
    method: 'GET',
    path: '/',
    remoteAddress: '',
  }
  expect(entryOfDenial(unknown)).not.toHaveProperty('principal')
})

test.each([
  ...Object.entries(typesOfOperations),
  ['POST /new', 'annals.operation.performed'],
  ['toString', 'annals.operation.performed'],
])('%s is %s', (operation, type) => {
  const act = {
    action: 'operate',
    caller: { principal },
    outcome: 'success',
    requestId: 'r-2',
    operation,
  } as const
  expect(entryOfAct({ ...act, resource: { kind: 'projection', name: 'loans' } })).toEqual({
    ...{ type, outcome: 'success', action: 'operate', resource: 'projection:loans', operation },
    ...{ requestId: 'r-2', principal: { name: 'ada', kind: 'key', credentialId: 'abcdefghij234567' } },
  })
})
