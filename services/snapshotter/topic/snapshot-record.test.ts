import { expect, test } from 'vitest'

import { parseStreamId, parseVersion } from '#domain'
import type { LogRecord, StoredRecord } from '#kafka'

import { type EncodedSnapshot, noSnapshotRecord, snapshotHead, toSnapshotRecord } from './snapshot-record.ts'

const snapshot: EncodedSnapshot = {
  streamId: parseStreamId('order.order-42'),
  version: parseVersion(20),
  stateVersion: 3,
  timestampMs: Date.parse('2026-01-31T12:00:00.000Z'),
  state: Buffer.from([0, 0, 0, 0, 7, 1, 2, 3]),
}

const asStored = (record: LogRecord): StoredRecord => ({
  ...record,
  offset: 5,
  headers: record.headers.map(([name, value]) => [name, Buffer.from(value)]),
})

test('a record has the stream id as its key, the encoded state as its value, and its description in headers', () => {
  const { key, value, headers } = toSnapshotRecord(snapshot)
  expect(key.toString()).toBe('order.order-42')
  expect(value).toEqual(snapshot.state)
  expect(Object.fromEntries(headers)).toEqual({
    'content-type': 'application/avro',
    streamversion: '20',
    stateversion: '3',
    timestamp: '2026-01-31T12:00:00.000Z',
  })
})

test('the head is read back from the record', () => {
  const { state, ...head } = snapshot
  expect(snapshotHead(asStored(toSnapshotRecord(snapshot)))).toEqual({ ...head, bytes: state.length })
})

test('a record names the event topic of its state, if known', () => {
  const record = toSnapshotRecord(snapshot, 'NdqLxBLVTX')
  expect(Object.fromEntries(record.headers)['topicid']).toBe('NdqLxBLVTX')
  expect(snapshotHead(asStored(record))).toMatchObject({ topicId: 'NdqLxBLVTX' })
})

test('a record without a value removes the snapshot', () => {
  expect(snapshotHead(asStored(noSnapshotRecord(snapshot.streamId)))).toBeUndefined()
})

test.each(['streamversion', 'stateversion'])('a record without %s is rejected', (missing) => {
  const record = asStored(toSnapshotRecord(snapshot))
  const headers = record.headers.filter(([name]) => name !== missing)
  expect(() => snapshotHead({ ...record, headers })).toThrow(`headers.${missing}`)
})
