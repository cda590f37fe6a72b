import { expect, test } from 'vitest'

import { InvalidInputError } from '#domain'

import {
  emptyAccess,
  limitsOfRoles,
  parseAccessDocument,
  parsePrincipalName,
  parseRole,
  RightsTable,
} from './index.ts'

const hash = '0123456789abcdef'.repeat(4)
const key = {
  id: 'abcdefghijklmn27',
  name: 'shop',
  roles: ['service'],
  hash,
  createdAt: '2026-01-01T00:00:00.000Z',
}
const certificate = { commonName: 'shop.example', name: 'shop', roles: ['clerk'] }
const clerk = {
  description: 'Takes orders.',
  includes: ['reader'],
  rules: [{ actions: ['append', 'annals:act-as'], on: ['order.eu-*', '*.42', 'user:web-*'] }],
  limits: { requestsPerSecond: 100, reads: 5 },
}
const whole = {
  roles: { clerk },
  keys: [
    key,
    { ...key, id: 'bbcdefghijklmn27', expiresAt: '2027-01-01T00:00:00+02:00', revokedAt: key.createdAt },
  ],
  certificates: [certificate],
}

test('a whole document is returned as it is, and survives JSON', () => {
  expect(parseAccessDocument(whole)).toEqual(whole)
  expect(parseAccessDocument(JSON.parse(JSON.stringify(parseAccessDocument(whole))))).toEqual(whole)
})

test('an empty document allows built-in roles only', () => {
  expect(parseAccessDocument({})).toEqual(emptyAccess)
  const table = new RightsTable(parseAccessDocument({}).roles)
  expect(table.of(['admin'], 'ada').decide('administer', { kind: 'installation' }).isAllowed).toBe(true)
})

const withRole = (role: object) => ({ roles: { clerk: { rules: [], ...role } } })
const withRule = (rule: object) => withRole({ rules: [{ actions: ['read'], on: ['order.*'], ...rule }] })
const withKey = (fields: object) => ({ keys: [{ ...key, ...fields }] })
const withCertificate = (fields: object) => ({ certificates: [{ ...certificate, roles: [], ...fields }] })
const on = (...patterns: readonly unknown[]) => withRule({ on: patterns })
const [role, rule] = ['roles.clerk', 'roles.clerk.rules[0]']

test.each<[string, unknown, string, RegExp]>([
  ['text', 'roles', 'access', /expected an object with roles, keys, certificates$/],
  ['nothing', null, 'access', /expected an object/],
  ['a list', [], 'access', /expected an object/],
  ['an unknown part', { rolls: {} }, 'access.rolls', /there is no such field; did you mean roles\?$/],
  ['roles as a list', { roles: [] }, 'roles', /expected an object with a role for each name/],
  ['a built-in role', { roles: { admin: { rules: [] } } }, 'roles.admin', /role admin is built in/],
  [
    'a malformed role name',
    { roles: { 'a b': { rules: [] } } },
    'roles["a b"]',
    /role name "a b" is malformed/,
  ],
  ['__proto__', JSON.parse('{"roles":{"__proto__":{"rules":[]}}}'), 'roles.__proto__', /is malformed/],
  ['a role without rules', { roles: { clerk: {} } }, `${role}.rules`, /is missing: expected a list of rules/],
  ['an unknown field of a role', withRole({ include: [] }), `${role}.include`, /did you mean includes\?/],
  ['a long description', withRole({ description: 'x'.repeat(1_001) }), `${role}.description`, /at most 1000/],
  [
    'an unknown included role',
    withRole({ includes: ['raeder'] }),
    `${role}.includes[0]`,
    /"raeder"; did you mean reader\?/,
  ],
  [
    'a role in itself',
    withRole({ includes: ['clerk'] }),
    `${role}.includes`,
    /includes itself: clerk → clerk$/,
  ],
  [
    'a cycle',
    {
      roles: {
        a: { includes: ['b'], rules: [] },
        b: { includes: ['c'], rules: [] },
        c: { includes: ['b'], rules: [] },
      },
    },
    'roles.b.includes',
    /includes itself: b → c → b$/,
  ],
  [
    'a limit of 0',
    withRole({ limits: { reads: 0 } }),
    `${role}.limits.reads`,
    /is 0: expected a whole number greater than 0/,
  ],
  ['an unknown limit', withRole({ limits: { read: 1 } }), `${role}.limits.read`, /did you mean reads\?/],
  [
    'an unknown action',
    withRule({ actions: ['apend'] }),
    `${rule}.actions[0]`,
    /"apend"; did you mean append\?/,
  ],
  ['no action', withRule({ actions: [] }), `${rule}.actions`, /expected at least one action/],
  ['no pattern', on(), `${rule}.on`, /expected at least one pattern/],
  ['a pattern that is no text', on(42), `${rule}.on[0]`, /is 42: expected text/],
  ['a text for patterns', withRule({ on: 'order.*' }), `${rule}.on`, /expected a list of patterns/],
  ['an unknown field of a rule', withRule({ deny: true }), `${rule}.deny`, /there is no such field/],
  ['a type alone', on('order'), `${rule}.on[0]`, /has no dot; for all streams of a type write order\.\*/],
  ['a typo of installation', on('instalation'), `${rule}.on[0]`, /has no dot; did you mean installation\?/],
  ['an empty pattern', on(''), `${rule}.on[0]`, /has no dot: expected order\.\*/],
  ['* in the middle', on('order.a*b'), `${rule}.on[0]`, /has \* in the middle/],
  ['two *', on('order.**'), `${rule}.on[0]`, /has \* in the middle/],
  ['* in a type', on('ord*.42'), `${rule}.on[0]`, /has the aggregate type "ord\*"/],
  ['a type in capitals', on('Order.*'), `${rule}.on[0]`, /has the aggregate type "Order"/],
  ['no type', on('.42'), `${rule}.on[0]`, /has the aggregate type ""/],
  ['no id', on('order.'), `${rule}.on[0]`, /has a malformed stream id/],
  ['white space', on('order.4 2'), `${rule}.on[0]`, /has a malformed stream id/],
  ['an unknown kind', on('projections:loans'), `${rule}.on[0]`, /unknown kind; did you mean projection\?/],
  ['a malformed projection', on('projection:Loans'), `${rule}.on[0]`, /has a malformed projection name/],
  ['a malformed user', on('user:a b'), `${rule}.on[0]`, /has a malformed user name/],
  [
    'an action that fits no pattern',
    withRule({ actions: ['view'] }),
    `${rule}.actions[0]`,
    /no pattern of the rule fits view: expected one of kind projection/,
  ],
  [
    'a pattern that fits no action',
    on('order.*', 'user:a'),
    `${rule}.on[1]`,
    /no action of the rule can be done with "user:a"/,
  ],
  [
    '1,001 patterns',
    on(...Array<string>(1_001).fill('order.*')),
    `${rule}.on`,
    /has 1001 patterns: expected at most 1000/,
  ],
  ['a short id', withKey({ id: 'abc' }), 'keys[0].id', /expected 16 characters of base32/],
  ['a name with white space', withKey({ name: 'a b' }), 'keys[0].name', /expected the name of a principal/],
  ['an unknown role of a key', withKey({ roles: ['servise'] }), 'keys[0].roles[0]', /did you mean service\?/],
  [
    'a date without a time',
    withKey({ createdAt: '2026-01-01' }),
    'keys[0].createdAt',
    /expected a time with its zone/,
  ],
  [
    'a time without a zone',
    withKey({ expiresAt: '2026-01-01T00:00:00' }),
    'keys[0].expiresAt',
    /expected a time/,
  ],
  ['February 30', withKey({ expiresAt: '2026-02-30T00:00:00Z' }), 'keys[0].expiresAt', /expected a time/],
  ['an unknown field of a key', withKey({ expires: '' }), 'keys[0].expires', /did you mean expiresAt/],
  ['the same id twice', { keys: [key, key] }, 'keys[1].id', /keys\[0\] has the same id "abcdefghijklmn27"/],
  [
    'no common name',
    withCertificate({ commonName: '' }),
    'certificates[0].commonName',
    /expected the common name/,
  ],
  [
    'an unknown role of a certificate',
    withCertificate({ roles: ['clerk'] }),
    'certificates[0].roles[0]',
    /no role "clerk"/,
  ],
  [
    'the same common name twice',
    {
      certificates: [
        { ...certificate, roles: [] },
        { ...certificate, roles: [] },
      ],
    },
    'certificates[1].commonName',
    /has the same commonName/,
  ],
])('%s is rejected', (_, json, path, message) => {
  const parse = () => parseAccessDocument(json)
  expect(parse).toThrow(InvalidInputError)
  expect(parse).toThrow(message)
  expect(parse).toThrow(expect.objectContaining({ path }))
})

test('a secret in the place of its hash does not appear in the error', () => {
  expect(() => parseAccessDocument(withKey({ hash: 'annals_secret' }))).toThrow(
    /^keys\[0\]\.hash is malformed: expected 64/,
  )
})

test('a name of an object property is no role', () => {
  expect(() => parseAccessDocument(withKey({ roles: ['constructor'] }))).toThrow(
    'there is no role "constructor"',
  )
  const { roles } = parseAccessDocument({ roles: { constructor: { rules: [] } } })
  expect('toString' in roles).toBe(false)
})

test('roles that share an included role are no cycle', () => {
  const includes = (...names: string[]) => ({ includes: names, rules: [] })
  const roles = {
    top: includes('left', 'right'),
    left: includes('base'),
    right: includes('base'),
    base: includes(),
  }
  expect(() => parseAccessDocument({ roles })).not.toThrow()
})

test('a thousand roles that include the next one are checked quickly', () => {
  const roles = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, n) => [`r${n}`, { rules: [], includes: n < 999 ? [`r${n + 1}`] : [] }]),
  )
  expect(Object.keys(parseAccessDocument({ roles }).roles)).toHaveLength(1_000)
})

test('a role alone is checked with its path', () => {
  expect(parseRole(clerk, 'clerk.json')).toEqual(clerk)
  expect(() => parseRole({ rules: [{ actions: ['read'], on: ['order'] }] }, 'role')).toThrow(
    'role.rules[0].on[0]',
  )
})

test.each(['', ' ', 'a b', 'a\nb', 'a\u200bb', 'a\u202eb', '\ud800', 'x'.repeat(201), 7, undefined])(
  '%j is no name of a principal',
  (name) => {
    expect(() => parsePrincipalName(name, 'sub')).toThrow(/^sub is .*: expected the name of a principal/)
  },
)

test('of each limit the largest holds; absent ones stay absent', () => {
  const roles = {
    a: { rules: [], limits: { reads: 5, subscribers: 1 } },
    b: { rules: [], limits: { reads: 7 } },
    c: { rules: [], includes: ['a'] },
  }
  expect(limitsOfRoles(roles, ['a', 'b', 'reader', 'toString'])).toEqual({ reads: 7, subscribers: 1 })
  expect(limitsOfRoles(roles, ['c'])).toEqual({})
})
