import { describe, expect, test } from 'vitest'

import { newEventId, parseVersion, streamIdOf } from '#domain'
import { toLogRecord } from '#event-log/records'
import type { StoredRecord } from '#kafka'
import { SchemaError } from '#schemas'

import { EventFormat } from './event-format.ts'

const avro = (schemaId: number, body = ''): Buffer => {
  const value = Buffer.alloc(5 + body.length)
  value.writeUInt32BE(schemaId, 1)
  value.write(body, 5)
  return value
}

function record(offset: number, value: Buffer): StoredRecord {
  const { key, headers, timestampMs } = toLogRecord({
    id: newEventId(),
    streamId: streamIdOf('order', '1'),
    type: 'OrderPlaced',
    version: parseVersion(1),
    timestamp: '2026-01-31T12:00:00.000Z',
    timestampMs: Date.UTC(2026, 0, 31, 12),
    metadata: {},
    value,
  })
  return {
    offset,
    key,
    value,
    timestampMs,
    headers: headers.map(([name, text]) => [name, Buffer.from(text)] as const),
  }
}

/** Knows the schema ids below 100 after it was asked to learn them. */
function codecOf(failure?: SchemaError) {
  const learnt = new Set<number>()
  return {
    learnt,
    encode: () => Buffer.alloc(0),
    learn: (ids: readonly number[]) => {
      if (failure !== undefined) return Promise.reject(failure)
      for (const id of ids) {
        if (id >= 100) return Promise.reject(new SchemaError('unknown-schema', `schema id ${id} is unknown`))
        learnt.add(id)
      }
      return Promise.resolve()
    },
    decode: (bytes: Buffer) => {
      if (!learnt.has(bytes.readUInt32BE(1)))
        throw new SchemaError('unknown-schema', 'has not been loaded yet')
      if (bytes.toString('utf8', 5) === 'damaged')
        throw new SchemaError('undecodable', 'the bytes end too early')
      return { aggregateType: 'order', eventType: 'OrderPlaced', data: bytes.toString('utf8', 5) }
    },
  }
}

const decode = (records: readonly StoredRecord[], codec = codecOf()) =>
  new EventFormat(codec).decodeEach('eventstore.order', 2, records)

describe('decoding one by one', () => {
  test('returns events with their positions', async () => {
    expect(await decode([record(7, avro(1, 'x')), record(9, avro(2, 'y'))])).toMatchObject([
      { data: 'x', position: { topic: 'eventstore.order', partition: 2, offset: 7 }, streamId: 'order.1' },
      { data: 'y', position: { offset: 9 }, timestamp: '2026-01-31T12:00:00.000Z' },
    ])
  })

  test('reads an event without fields, whose value is only a schema id', async () => {
    expect(await decode([record(0, avro(5))])).toMatchObject([{ data: '', type: 'OrderPlaced' }])
  })

  test('a record that is not an event or cannot be decoded reports why, and the others are decoded', async () => {
    const foreign: StoredRecord = { ...record(1, avro(1)), headers: [] }
    const tombstone: StoredRecord = { ...record(2, avro(1)), value: null }
    const records = [
      record(0, avro(1, 'first')),
      foreign,
      tombstone,
      record(3, avro(100, 'x')),
      record(4, avro(2, 'damaged')),
      record(5, Buffer.from('{}')),
      record(6, avro(3, 'last')),
    ]
    expect(await decode(records)).toMatchObject([
      { data: 'first' },
      {
        position: { offset: 1 },
        unreadable: { message: expect.stringContaining('header ce_id') as unknown },
      },
      { position: { offset: 2 }, unreadable: { message: expect.stringContaining('no value') as unknown } },
      {
        position: { offset: 3 },
        unreadable: { code: 'unknown-schema', message: 'schema id 100 is unknown' },
        timestamp: '2026-01-31T12:00:00.000Z',
      },
      { position: { offset: 4 }, unreadable: { code: 'undecodable' } },
      { position: { offset: 5 }, unreadable: expect.any(Error) as unknown },
      { data: 'last' },
    ])
  })

  test('fails as a whole while the registry is unreachable, because all records may be readable later', async () => {
    const failure = new SchemaError('registry-unreachable', 'the registry is down')
    await expect(decode([record(0, avro(1))], codecOf(failure))).rejects.toBe(failure)
  })
})
