import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { recordBytesBound } from '#kafka'

import { type AuditEntry, auditTypes } from './audit-entry.ts'
import { decodeEntry } from './decode-entry.ts'
import { encodeEntry, entryBytesMax } from './encode-entry.ts'
import { entryOfDenial } from './entry-of-request.ts'

const source = { service: 'writer', instance: 'http://writer-1:7400' }

const stored = (entry: AuditEntry) => {
  const { headers, value } = encodeEntry(entry, source)
  return { headers: headers.map(([name, text]) => [name, Buffer.from(text)] as const), value }
}

const withoutTimes: AuditEntry = {
  ...{ type: 'annals.access.changed', outcome: 'success', action: 'administer', resource: 'installation' },
  principal: { name: 'ada', kind: 'key', credentialId: 'abcdefghij234567' },
  ...{ operation: 'annals access key create', requestId: 'r-1', remoteAddress: '10.0.0.7', reason: 'why' },
  details: { name: 'web-1', roles: 'reader', isNew: true, keys: 2 },
  ...{ count: 3, code: 'forbidden' },
}
const full = { ...withoutTimes, timeMs: Date.UTC(2026, 10, 21, 9), sinceMs: Date.UTC(2026, 10, 21, 8) }

test('an entry is a CloudEvent in binary mode with data in JSON', () => {
  const { key, value, headers, timestampMs } = encodeEntry(full, source)
  expect(Object.fromEntries(headers)).toEqual({
    ce_specversion: '1.0',
    ce_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    ce_type: 'annals.access.changed',
    ce_source: 'urn:annals:writer:http%3A%2F%2Fwriter-1%3A7400',
    ce_time: '2026-11-21T09:00:00.000Z',
    ce_subject: 'installation',
    'content-type': 'application/json',
  })
  expect([key.toString(), timestampMs]).toEqual(['ada', full.timeMs])
  expect(JSON.parse(String(value))).toEqual({
    ...{ outcome: 'success', principal: full.principal, action: 'administer', resource: 'installation' },
    ...{ operation: 'annals access key create', code: 'forbidden', reason: 'why', requestId: 'r-1' },
    ...{ remoteAddress: '10.0.0.7', details: full.details, count: 3, since: '2026-11-21T08:00:00.000Z' },
    ...source,
  })
})

test('it is read as it was written', () => {
  expect(decodeEntry(stored(full))).toEqual({
    ...{ ...withoutTimes, ...source, id: expect.any(String) as string },
    ...{ time: '2026-11-21T09:00:00.000Z', since: '2026-11-21T08:00:00.000Z' },
  })
  expect(decodeEntry(stored({ type: 'annals.audit.started', outcome: 'success' }))).not.toHaveProperty(
    'principal',
  )
})

describe('a record that is no entry', () => {
  const { headers, value } = stored(full)
  test.each<[string, Parameters<typeof decodeEntry>[0]]>([
    ['has no headers', { headers: [], value }],
    ['has no value', { headers, value: null }],
    ['is not JSON', { headers, value: Buffer.from('{') }],
    ['is no object', { headers, value: Buffer.from('[]') }],
    ['has another outcome', { headers, value: Buffer.from('{"outcome":"maybe"}') }],
    ['has no time', { headers: [...headers, ['ce_time', Buffer.from('now')]], value }],
  ])('%s', (_, record) => expect(decodeEntry(record)).toBeUndefined())
})

test('fields of a wrong type are left out', () => {
  const value = Buffer.from(
    '{"outcome":"denied","principal":[],"count":"3","reason":1,"details":{"a":{}},"x":1}',
  )
  expect(decodeEntry({ headers: stored(full).headers, value })).toEqual({
    ...{ id: expect.any(String) as string, type: full.type, time: '2026-11-21T09:00:00.000Z' },
    ...{ outcome: 'denied', details: {}, service: '', instance: '' },
  })
})

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 2_000 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\ud800', '\u{1F600}', '\u0000', 'ü'),
    minLength: 700,
    maxLength: 3_000,
  }),
)
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

test('a denial with any texts is a bounded, valid CloudEvent', () => {
  const denial = fc.record(
    {
      code: fc.constantFrom('unauthenticated', 'forbidden'),
      ...{ reason: text, action: text, resource: text, requestId: text, method: text, path: text },
      remoteAddress: text,
      caller: fc.record({
        principal: fc.record({
          name: text,
          kind: fc.constant('jwt' as const),
          credentialId: text,
          roles: fc.constant([]),
        }),
      }),
    },
    { requiredKeys: ['code', 'reason', 'requestId', 'method', 'path', 'remoteAddress'] },
  )
  fc.assert(fc.property(denial, (given) => expectValid(entryOfDenial(given))))
})

test('an entry with any texts and details is a bounded, valid CloudEvent', () => {
  const entry = fc.record({
    ...{ type: fc.constantFrom(...auditTypes), outcome: fc.constantFrom('success', 'failure', 'denied') },
    ...{ reason: text, resource: text, operation: text, requestId: text, remoteAddress: text, action: text },
    principal: fc.record({ name: text, kind: text, credentialId: text }),
    details: fc.dictionary(text, fc.oneof(text, fc.double(), fc.boolean()), { maxKeys: 40 }),
    ...{ timeMs: fc.integer({ min: 0, max: 4e12 }), count: fc.nat(), sinceMs: optional(fc.nat()) },
  }) as unknown as fc.Arbitrary<AuditEntry>
  fc.assert(fc.property(entry, expectValid), { numRuns: 50 })
})

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
function expectValid(entry: AuditEntry): void {
  const record = encodeEntry(entry, source)
  expect(recordBytesBound(record)).toBeLessThan(entryBytesMax)
  const headers = new Map(record.headers.map(([name, value]) => [name, String(value)]))
  for (const name of ['ce_id', 'ce_source', 'ce_specversion', 'ce_type'])
    expect(headers.get(name)).toBeTruthy()
  for (const [name, value] of headers) {
    expect(name).toMatch(/^(ce_[a-z0-9]+|content-type)$/)
    expect(value).not.toMatch(/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u)
    expect(value).not.toBe('')
  }
  expect(headers.get('ce_time')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect(URL.canParse(headers.get('ce_source') ?? '')).toBe(true)
  const { headers: bytes, value } = stored(entry)
  expect(decodeEntry({ headers: bytes, value })).toMatchObject({
    type: entry.type,
    outcome: entry.outcome,
    ...source,
  })
}

test('the largest entry is within its bound, and a credential in any field is in none of its bytes', () => {
  const hostile = `annals_abcdefghij234567_topsecret ${'\u20ac"'.repeat(5_000)}`
  const details = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`${index} ${hostile}`, hostile]),
  )
  const texts = { action: hostile, resource: hostile, operation: hostile, code: hostile, reason: hostile }
  const record = encodeEntry(
    {
      ...{
        type: 'annals.access.denied',
        outcome: 'denied',
        ...texts,
        requestId: hostile,
        remoteAddress: hostile,
      },
      ...{ principal: { name: hostile, kind: hostile, credentialId: hostile }, details },
    },
    { service: hostile, instance: hostile },
  )
  expect(recordBytesBound(record)).toBeLessThan(entryBytesMax)
  expect(JSON.stringify([record.key.toString(), String(record.value), record.headers])).not.toContain(
    'topsecret',
  )
})
