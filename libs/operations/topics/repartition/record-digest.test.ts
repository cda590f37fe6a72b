import { expect, test } from 'vitest'

import type { StoredRecord } from '#kafka'

import { RecordDigest, sameDigests } from './record-digest.ts'

const record: StoredRecord = {
  offset: 7,
  key: Buffer.from('order.o-1'),
  value: Buffer.from('value'),
  headers: [
    ['ce_id', Buffer.from('1')],
    ['ce_type', Buffer.from('Placed')],
  ],
  timestampMs: 1_700_000_000_000,
}

const digest = (...records: readonly StoredRecord[]) => {
  const made = new RecordDigest()
  for (const each of records) made.add(each)
  return made.now()
}

test('the same records in the same order have the same digest at any offsets', () => {
  expect(digest(record, { ...record, offset: 8 })).toEqual(digest({ ...record, offset: 100 }, record))
  expect(digest(record).events).toBe(1)
})

test.each<[string, StoredRecord]>([
  ['another key', { ...record, key: Buffer.from('order.o-2') }],
  ['another value', { ...record, value: Buffer.from('valuE') }],
  ['no value', { ...record, value: null }],
  ['an empty value', { ...record, value: Buffer.alloc(0) }],
  ['another time', { ...record, timestampMs: record.timestampMs + 1 }],
  ['a missing header', { ...record, headers: record.headers.slice(1) }],
  ['headers in another order', { ...record, headers: record.headers.toReversed() }],
  [
    'a header that took a letter from its name',
    { ...record, headers: [['ce_i', Buffer.from('d1')], ...record.headers.slice(1)] },
  ],
  [
    'a key that took a letter from its value',
    { ...record, key: Buffer.from('order.o-1v'), value: Buffer.from('alue') },
  ],
])('%s changes the digest', (_, other) => {
  expect(digest(other).sha256).not.toBe(digest(record).sha256)
})

test('digests are the same only if those of all partitions are', () => {
  const [one, two] = [digest(record), digest(record, record)]
  expect(sameDigests([one, two], [one, two])).toBe(true)
  expect(sameDigests([one, two], [two, one])).toBe(false)
  expect(sameDigests([one], [one, two])).toBe(false)
})
