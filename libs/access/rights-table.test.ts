import { describe, expect, test } from 'vitest'

import { type Action, allRights, type Resource, RightsTable, streamResource } from './index.ts'

const table = new RightsTable({
  europe: { rules: [{ actions: ['read', 'append'], on: ['order.eu-*'] }] },
  manager: { includes: ['europe'], rules: [{ actions: ['operate'], on: ['order.*', 'projection:lo*'] }] },
  gateway: { rules: [{ actions: ['annals:act-as'], on: ['user:web-*'] }] },
  keeper: { rules: [{ actions: ['administer', 'operate'], on: ['installation'] }] },
  everything: { rules: [{ actions: ['read'], on: ['*'] }] },
  types: { rules: [{ actions: ['read'], on: ['*.*'] }] },
})

const order = (id: string): Resource => ({ kind: 'stream', type: 'order', id })
const reasonOf = (roles: readonly string[], action: Action, resource: Resource): string =>
  table.of(roles, 'ada').decide(action, resource).reason

test.each<[readonly string[], Action, Resource, string]>([
  [['europe'], 'read', order('eu-1'), 'role europe grants read on order.eu-*'],
  [['manager'], 'read', order('eu-1'), 'role europe grants read on order.eu-*'],
  [['manager'], 'operate', { kind: 'type', type: 'order' }, 'role manager grants operate on order.*'],
  [['service', 'reader'], 'read', order('1'), 'role reader grants read on *.*'],
  [['admin'], 'read', streamResource('nonsense'), 'role admin grants read on *'],
  [['europe'], 'read', order('us-1'), 'no role of ada grants read on order.us-1'],
  [['europe'], 'read', { kind: 'type', type: 'order' }, 'no role of ada grants read on all of order.*'],
  [
    ['gateway'],
    'read',
    { kind: 'category', type: 'order' },
    'no role of ada grants read on any stream of order.*',
  ],
  [
    ['gateway'],
    'annals:act-as',
    { kind: 'user', name: 'eve' },
    'no role of ada grants annals:act-as on user:eve',
  ],
  [
    [],
    'administer',
    { kind: 'installation' },
    'no role of ada grants administer on installation: it has no roles',
  ],
  [['europa'], 'read', order('1'), 'no role of ada grants read on order.1; there is no role europa'],
  [['europe'], 'read', order('1\n2'), 'no role of ada grants read on "order.1\\n2"'],
])('%j %s %j: %s', (roles, action, resource, reason) => {
  expect(reasonOf(roles, action, resource)).toBe(reason)
})

test('a long name from a request is cut in the reason', () => {
  expect(reasonOf(['europe'], 'read', order('x'.repeat(100_000))).length).toBeLessThan(200)
})

describe('a malformed stream id', () => {
  test.each([
    ['everything', true],
    ['types', false],
  ])('%s: %j', (role, isAllowed) => {
    const rights = table.of([role], 'ada')
    expect(rights.decide('read', streamResource('nonsense')).isAllowed).toBe(isAllowed)
    expect(rights.decide('read', streamResource('.x')).isAllowed).toBe(isAllowed)
    expect(rights.streamsOf('read', '')).toBe(isAllowed ? 'all' : 'none')
    expect(rights.touchesType('')).toBe(isAllowed)
  })
})

describe('built-in roles', () => {
  const resources: readonly Resource[] = [
    order('1'),
    { kind: 'type', type: 'order' },
    { kind: 'projection', name: 'loans' },
    { kind: 'user', name: 'eve' },
    { kind: 'installation' },
  ]
  const onStreams = 'stream, type'
  test.each<[string, Action, string]>([
    ['admin', 'annals:act-as', 'stream, type, projection, user, installation'],
    ['admin', 'administer', 'stream, type, projection, user, installation'],
    ['operator', 'operate', 'stream, type, projection, user, installation'],
    ['operator', 'read', ''],
    ['operator', 'administer', ''],
    ['service', 'append', onStreams],
    ['service', 'state', onStreams],
    ['service', 'view', 'projection'],
    ['service', 'operate', ''],
    ['service', 'annals:act-as', ''],
    ['reader', 'append', ''],
    ['reader', 'read', onStreams],
    ['reader', 'subscribe', onStreams],
    ['reader', 'view', 'projection'],
  ])('%s may %s: %s', (role, action, kinds) => {
    const rights = table.of([role], 'ada')
    const found = resources.filter((each) => rights.decide(action, each).isAllowed).map(({ kind }) => kind)
    expect(found.join(', ')).toBe(kinds)
  })
})

test('a partly allowed type yields a filter of stream ids', () => {
  const streams = table.of(['europe'], 'ada').streamsOf('read', 'order')
  expect(
    typeof streams === 'function' &&
      ['order.eu-1', 'order.us-1', 'orders.eu-1', 'cargo.eu-1', ''].map(streams),
  ).toEqual([true, false, false, false, false])
})

test('of thousands of ids and prefixes, those that match are found', () => {
  const on = Array.from({ length: 2_000 }, (_, n) => (n % 2 === 0 ? `order.t${n}-*` : `order.t${n}`))
  const rights = new RightsTable({ many: { rules: [{ actions: ['read'], on }] } }).of(['many'], 'ada')
  const ids = ['t0-', 't0-1', 't0', 't1', 't1-1', 't1998-x', 't1999', 't2000-x', 'a', 'z']
  expect(ids.filter((id) => rights.decide('read', order(id)).isAllowed)).toEqual([
    't0-',
    't0-1',
    't1',
    't1998-x',
    't1999',
  ])
})

test('a malformed pattern is not compiled', () => {
  const rules = [{ actions: ['read'] as const, on: ['order.a*b'] }]
  expect(() => new RightsTable({ clerk: { rules } })).toThrow(
    'roles.clerk.rules[0].on: pattern "order.a*b" has *',
  )
})

test('fingerprints differ when rights do', () => {
  const prints = [[], ['europe'], ['manager'], ['types'], ['everything'], ['reader']].map(
    (roles) => table.of(roles, 'ada').fingerprint,
  )
  expect(new Set([...prints, allRights.fingerprint]).size).toBe(7)
  expect(table.of(['europe', 'manager'], 'eve').fingerprint).toBe(table.of(['manager'], 'ada').fingerprint)
})

test('without access control everything is allowed', () => {
  expect(allRights.decide('administer', streamResource('')).isAllowed).toBe(true)
  expect([allRights.streamsOf('read', ''), allRights.touchesType('')]).toEqual(['all', true])
})

test('each set of roles has its own rights, also of many roles', () => {
  const names = Array.from({ length: 120 }, (_, n) => `r${String(n).padStart(3, '0')}`)
  const roleOf = (name: string) => ({ rules: [{ actions: ['read'] as const, on: [`order.${name}`] }] })
  const many = new RightsTable(Object.fromEntries(names.map((name) => [name, roleOf(name)])))
  const allowed = (roles: readonly string[]) =>
    names.filter((name) => many.of(roles, 'ada').decide('read', order(name)).isAllowed)
  const some = names.slice(0, 14)
  const sets = [...names.map((name) => [name]), ...some.flatMap((a) => some.map((b) => [a, b]))]
  for (const roles of sets) expect(allowed(roles)).toEqual([...new Set(roles)].sort())
})
