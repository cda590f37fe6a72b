import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { emptyAccess, parseAccessDocument } from '#access'

import { AccessEntries } from './access-entries.ts'
import type { AccessChange } from './access-editor.ts'
import { accessBounds } from './bounds.ts'
import { entryKey, entryRecord } from './entry-record.ts'
import { keyEntry, putCertificate, putKey, putRole } from './testing/entries.ts'

const raw = (key: string, value: string | null) => ({
  key: Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
})

const records = (...changes: readonly AccessChange[]) => changes.map((change) => entryRecord(change, 0))

function entriesOf(...changes: readonly AccessChange[]): AccessEntries {
  const entries = new AccessEntries()
  entries.apply(records(...changes))
  entries.settle()
  return entries
}

describe('entries', () => {
  test('are empty without records', () => {
    expect(entriesOf().document).toEqual(emptyAccess)
  })

  test('are those of the last records, and tombstones remove', () => {
    const key = keyEntry()
    const certificate = { commonName: 'a:b', name: 'web', roles: ['reader'] }
    const entries = entriesOf(
      putRole('clerk'),
      putKey(key),
      putCertificate(certificate),
      putRole('clerk', ['reader']),
    )
    expect(entries.document).toEqual({
      roles: { clerk: putRole('clerk', ['reader']).value },
      keys: [key],
      certificates: [certificate],
    })
    entries.apply(records({ kind: 'key', name: key.id, value: null }))
    expect(entries.document.keys).toEqual([])
  })

  test('count when the role that they need comes after them, as compaction leaves it', () => {
    const key = keyEntry({ roles: ['late'] })
    const entries = new AccessEntries()
    entries.apply(records(putKey(key), putRole('early', ['late'])))
    expect(entries.document).toEqual(emptyAccess)
    entries.apply(records(putRole('late')))
    entries.settle()
    expect(entries.document).toMatchObject({ keys: [key], roles: { early: {}, late: {} } })
    expect(entries.problems).toEqual([])
  })

  test('lose a role that was removed, which is reported', () => {
    const key = keyEntry({ roles: ['gone', 'reader'] })
    const entries = entriesOf(putRole('gone'), putRole('other', ['gone']), putKey(key))
    entries.apply(records({ kind: 'role', name: 'gone', value: null }))
    expect(entries.document.keys).toEqual([{ ...key, roles: ['reader'] }])
    expect(entries.document.roles['other']?.includes).toEqual([])
    expect(entries.problems.map(({ entry }) => entry)).toEqual(['role:other', `key:${key.id}`])
    entries.apply(records(putRole('gone')))
    expect(entries.document.keys).toEqual([key])
    expect(entries.problems).toEqual([])
  })
})

const key = keyEntry()

describe('an invalid record', () => {
  test.each([
    ['a key without a kind', 'shop', '{}', /none of role:, key:, certificate:/],
    ['text that is not JSON', `key:${key.id}`, '{"hash": 12', /^it is not JSON: see line 1/],
    ['a value that is too large', `key:${key.id}`, ' '.repeat(accessBounds.entryBytes + 1), /65537 bytes/],
    ['another id', `key:${key.id}`, JSON.stringify(keyEntry()), /record's key says/],
    ['an unknown field', `key:${key.id}`, JSON.stringify({ ...key, role: 'admin' }), /role/],
    ['an unknown role', `key:${key.id}`, JSON.stringify({ ...key, roles: ['clerc'] }), /did you mean clerk/],
    [
      'another common name',
      'certificate:web',
      '{"commonName":"x","name":"x","roles":[]}',
      /record's key says/,
    ],
    ['a built-in role', 'role:admin', '{"rules":[]}', /built in/],
    ['a role that includes itself', 'role:clerk', '{"includes":["chief"],"rules":[]}', /includes itself/],
    ['a role that includes an unknown one', 'role:clerk', '{"includes":["nobody"],"rules":[]}', /nobody/],
    ['a role that is null', 'role:clerk', 'null', /null/],
  ])('(%s) is reported by name and leaves the previous entry in force', (_, name, value, message) => {
    const entries = entriesOf(putRole('clerk'), putRole('chief', ['clerk']), putKey(key))
    const before = entries.document
    entries.apply([raw(name, value)])
    entries.settle()
    expect(entries.document).toEqual(before)
    expect(entries.problems).toEqual([{ entry: name, message: expect.stringMatching(message) as string }])
    entries.apply([raw(name, null)])
    expect(entries.problems.map(({ entry }) => entry)).not.toContain(name)
  })

  test('quotes nothing of a text that is not JSON', () => {
    const entries = new AccessEntries()
    entries.apply([raw('key:x', 'annals_secret'), raw('key:y', `{"hash":"secret`)])
    expect(JSON.stringify(entries.problems)).not.toContain('secret')
  })

  test('in a topic that is read again leaves the entry of the earlier read in force', () => {
    const before = entriesOf(putKey(key), putRole('clerk'))
    const again = new AccessEntries(before)
    again.apply([raw(`key:${key.id}`, 'broken')])
    again.settle()
    expect(again.document).toEqual({ ...emptyAccess, keys: [key] })
    again.apply([raw(`key:${key.id}`, null)])
    expect(again.document).toEqual(emptyAccess)
  })
})

const names = ['a', 'b', 'c', 'd']
const anyChange: fc.Arbitrary<AccessChange> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...names), fc.subarray(['reader', ...names]))
    .map(([name, includes]) => putRole(name, includes)),
  fc
    .tuple(fc.constantFrom(...names), fc.subarray(names))
    .map(([commonName, roles]) => putCertificate({ commonName, name: 'web', roles })),
  fc
    .tuple(fc.constantFrom('role', 'certificate'), fc.constantFrom(...names))
    .map(([kind, name]): AccessChange => ({
      kind: kind as 'role',
      name,
      value: null,
    })),
)

test('entries are always a valid document, whatever the records', () => {
  fc.assert(
    fc.property(fc.array(anyChange), (changes) => {
      const { document } = entriesOf(...changes)
      expect(parseAccessDocument(document)).toEqual(document)
    }),
  )
})

test('valid edits have the same result before and after compaction', () => {
  fc.assert(
    fc.property(fc.array(anyChange), (changes) => {
      // As an editor does: only changes that are valid reach the topic.
      const entries = new AccessEntries()
      const inTopic = changes.filter((change) => {
        const next = new AccessEntries()
        next.apply([...records(...asPuts(entries)), entryRecord(change, 0)])
        next.settle()
        if (next.problems.length > 0) return false
        entries.apply([entryRecord(change, 0)])
        return true
      })
      const last = new Map(inTopic.map((change, index) => [entryKey(change), index]))
      const compacted = inTopic.filter((change, index) => last.get(entryKey(change)) === index)
      expect(entriesOf(...compacted).document).toEqual(entries.document)
      expect(entriesOf(...compacted).problems).toEqual([])
    }),
  )
})

const asPuts = ({ document: { roles, certificates } }: AccessEntries): AccessChange[] => [
  ...Object.entries(roles).map(([name, value]): AccessChange => ({ kind: 'role', name, value })),
  ...certificates.map(putCertificate),
]
