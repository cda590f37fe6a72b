import fc from 'fast-check'
import { expect, test } from 'vitest'

import { newEventId, parseStreamId, parseVersion } from '#domain'

import {
  type EncodedEvent,
  type EventRecord,
  fromStoredRecord,
  type ReceivedRecord,
  toLogRecord,
} from './event-record.ts'
import { anyEncodedEvent } from '../testing/index.ts'

const event: EncodedEvent = {
  id: newEventId(),
  streamId: parseStreamId('order.order-42'),
  type: 'OrderPlaced',
  version: parseVersion(7),
  timestamp: '2024-05-06T07:08:09.010Z',
  timestampMs: Date.UTC(2024, 4, 6, 7, 8, 9, 10),
  metadata: { tenant: 'acme', correlationId: 'c-1', source: '/shop', attempt: 3, isTrial: false },
  value: Buffer.from('avro'),
}

/** An appended record as a client returns it. */
const asStored = ({ key, value, headers }: EventRecord): ReceivedRecord => ({
  offset: 0,
  key,
  value,
  headers: headers.map(([name, text]) => [name, Buffer.from(text)] as const),
})

test('an event round-trips through its record', () => {
  fc.assert(
    fc.property(anyEncodedEvent, (any) => {
      expect(fromStoredRecord(asStored(toLogRecord(any)))).toEqual(any)
    }),
  )
})

test('the record is a CloudEvent in binary mode, with these headers in this order', () => {
  const record = toLogRecord(event)
  expect(record.headers).toEqual([
    ['ce_specversion', '1.0'],
    ['ce_id', event.id],
    ['ce_type', 'OrderPlaced'],
    ['ce_source', '/shop'],
    ['ce_subject', 'order.order-42'],
    ['ce_time', '2024-05-06T07:08:09.010Z'],
    ['content-type', 'application/avro'],
    ['ce_streamversion', '7'],
    ['ce_correlationid', 'c-1'],
    ['ce_annalsmetadata', '{"tenant":"acme","attempt":3,"isTrial":false}'],
  ])
  expect(record.key.toString()).toBe('order.order-42')
  expect(record.timestampMs).toBe(Date.UTC(2024, 4, 6, 7, 8, 9, 10))
})

test('an event without a source gets the one that CloudEvents requires, and has none after reading', () => {
  const record = toLogRecord({ ...event, metadata: {} })
  expect(record.headers).toContainEqual(['ce_source', 'urn:annals'])
  expect(fromStoredRecord(asStored(record)).metadata).toEqual({})
})

test('own keys with the name of a field never replace its header, and count without one only as text', () => {
  const read = (headers: Readonly<Record<string, string>>, own: object) => {
    const { headers: others, ...record } = asStored(toLogRecord({ ...event, metadata: {} }))
    const added = Object.entries({ ...headers, ce_annalsmetadata: JSON.stringify(own) })
    const all = [...others, ...added.map(([name, text]) => [name, Buffer.from(text)] as const)]
    return fromStoredRecord({ ...record, headers: all }).metadata
  }
  expect(read({ ce_userid: 'ada' }, { userId: 'eve', tenant: 'acme' })).toEqual({
    userId: 'ada',
    tenant: 'acme',
  })
  expect(read({ ce_source: '/shop' }, { source: '/other' })).toEqual({ source: '/shop' })
  expect(read({}, { source: '/other', sessionId: 's-1', userId: 7 })).toEqual({ sessionId: 's-1' })
})

test.each(['ce_id', 'ce_type', 'ce_subject', 'ce_time', 'ce_streamversion'])(
  'a record without %s is rejected with the header and the offset',
  (name) => {
    const record = asStored(toLogRecord(event))
    const headers = record.headers.filter(([header]) => header !== name)
    expect(() => fromStoredRecord({ ...record, offset: 42, headers })).toThrow(
      `record at offset 42 is not an event of Annals: it has no header ${name}`,
    )
  },
)

test('a record without a value is rejected', () => {
  const record = { ...asStored(toLogRecord(event)), value: null }
  expect(() => fromStoredRecord(record)).toThrow(
    'record at offset 0 is not an event of Annals: it has no value',
  )
})
