import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { AnnalsClient } from '#client'
import {
  defineProjection,
  type DomainEvent,
  type EventMetadata,
  type MetadataValue,
  metadataFields,
  metadataTable,
  newEventId,
  parseMetadata,
  parseVersion,
  position,
  project,
  type RecordedEvent,
  type StreamId,
  streamIdOf,
} from '#domain'
import { EventFormat } from '#event-log'
import { type EncodedEvent, fromStoredRecord, isReadable, toLogRecord } from '#event-log/records'
import { InMemoryEventStore } from '#event-store'
import type { StoredRecord } from '#kafka'

import { recordLine, parseRecordLine } from './backup/record-line.ts'
import { jsonLines } from './export/export-lines.ts'
import { ImportMapping } from './import/mapping.ts'
import { draftOfJson } from './import/read-json-lines.ts'
import { eventLines } from './replay/event-lines.ts'
import { InMemoryWriter } from '../../test/support/append/in-memory-writer.ts'
import { type Call, callerOf } from '../../test/support/http/http-call.ts'
import { startHttpWriter } from '../../test/support/http/http-writer.ts'

// Metadata is converted to many formats. Each must round-trip every field of the table and the caller's own keys.

const data = { amount: '12.50' }
const type = 'OrderPlaced' as const
const value = Buffer.from([0, 0, 0, 0, 1])
const timestamp = '2026-01-31T12:00:00.000Z'

let server: Awaited<ReturnType<typeof startHttpWriter>>
let client: AnnalsClient
let call: Call

beforeAll(async () => {
  server = await startHttpWriter(new InMemoryWriter())
  client = new AnnalsClient({ url: server.url })
  call = callerOf(server.url)
})

afterAll(async () => {
  await client.close()
  await server.app.close()
})

let streams = 0
const freshStreamId = (): StreamId => streamIdOf('order', String(++streams))

const encoded = (metadata: EventMetadata): EncodedEvent => ({
  id: newEventId(),
  streamId: freshStreamId(),
  type,
  version: parseVersion(1),
  timestamp,
  timestampMs: Date.parse(timestamp),
  metadata,
  value,
})

const recorded = (metadata: EventMetadata): RecordedEvent<OrderPlaced> => {
  const { id, streamId, version } = encoded(metadata)
  return {
    id,
    streamId,
    type,
    version,
    timestamp,
    metadata,
    data,
    position: position('eventstore.order', 0, 7),
  }
}

const stored = (metadata: EventMetadata): StoredRecord => {
  const record = toLogRecord(encoded(metadata))
  return { ...record, offset: 7, headers: record.headers.map(([name, text]) => [name, Buffer.from(text)]) }
}

/** Metadata as a consumer of CloudEvents reads it from extension attributes: the names of the headers without `ce_`. */
function fromCloudEvent(line: string): EventMetadata {
  const event = JSON.parse(line) as Readonly<Record<string, string | undefined>>
  const fields = metadataFields.flatMap((field) => {
    const text = event[metadataTable[field].header.replace('ce_', '')]
    return text === undefined || (field === 'source' && text === 'urn:annals') ? [] : [[field, text]]
  })
  return {
    ...(JSON.parse(event['annalsmetadata'] ?? '{}') as EventMetadata),
    ...(Object.fromEntries(fields) as EventMetadata),
  }
}

interface MetadataView {
  readonly metadata: EventMetadata
}

type OrderPlaced = DomainEvent<'OrderPlaced'>

const lastMetadata = defineProjection<MetadataView, OrderPlaced>({
  name: 'last-metadata',
  source: 'order',
  keyedBy: 'stream',
  initialView: { metadata: {} },
  on: { OrderPlaced: (_view, { metadata }) => ({ metadata }) },
})

async function overHttp(metadata: EventMetadata): Promise<EventMetadata> {
  const path = `/streams/${freshStreamId()}/events`
  const { status } = await call('POST', path, { events: [{ type, data, metadata }] })
  expect(status).toBe(201)
  const { body } = await call('GET', path)
  return (body['events'] as readonly RecordedEvent[])[0]?.metadata as EventMetadata
}

async function throughClient(metadata: EventMetadata): Promise<EventMetadata> {
  const streamId = freshStreamId()
  await client.append(streamId, [{ type, data, metadata }])
  return (await client.read(streamId)).events[0]?.metadata as EventMetadata
}

async function inMemory(metadata: EventMetadata): Promise<EventMetadata> {
  const store = new InMemoryEventStore()
  const streamId = freshStreamId()
  await store.append(streamId, [{ type, data, metadata }])
  return (await store.load(streamId)).events[0]?.metadata as EventMetadata
}

async function decoded(metadata: EventMetadata): Promise<EventMetadata> {
  const codec = { encode: () => value, learn: () => Promise.resolve(), decode: () => ({ data }) as never }
  const [event] = await new EventFormat(codec).decodeEach('eventstore.order', 0, [stored(metadata)])
  if (event === undefined || !isReadable(event))
    throw new Error('the record is not readable', { cause: event })
  return event.metadata
}

type Way = (metadata: EventMetadata) => EventMetadata | undefined | Promise<EventMetadata | undefined>

const ways: Readonly<Record<string, Way>> = {
  'the record of the log': (metadata) => fromStoredRecord(stored(metadata)).metadata,
  'a decoded record': decoded,
  'the in-memory store': inMemory,
  HTTP: overHttp,
  'the client': throughClient,
  'an export and an import': (metadata) =>
    draftOfJson(jsonLines.line(recorded(metadata)).trim()).metadata ?? {},
  'a line of a backup': (metadata) =>
    fromStoredRecord(parseRecordLine(recordLine(stored(metadata)))).metadata,
  'a line of a replay': (metadata) =>
    (JSON.parse(eventLines.ndjson(recorded(metadata))) as RecordedEvent).metadata,
  'a CloudEvent of a replay': (metadata) => fromCloudEvent(eventLines.cloudevents(recorded(metadata))),
}

/** One value for each field of the table, and own keys of every type. */
const whole: EventMetadata = {
  ...Object.fromEntries(metadataFields.map((field) => [field, `the ${field} "ü"`])),
  tenant: 'acme',
  'retry.count': 3,
  isTrial: false,
}

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((each) => !/[\p{Cc}\p{Cs}]/u.test(each))
const ownKey = fc
  .stringMatching(/^[A-Za-z][\w.-]{0,63}$/)
  .filter((key) => !(key in Object.prototype) && !isNamed(key))
const isNamed = (key: string) => metadataFields.some((field) => field.toLowerCase() === key.toLowerCase())
const ownValue: fc.Arbitrary<MetadataValue> = fc.oneof(
  text,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
  fc.integer(),
  fc.boolean(),
)
/** In the log `urn:annals` means that there is no source. */
const anyField = text.filter((each) => each !== 'urn:annals')
const anyMetadata: fc.Arbitrary<EventMetadata> = fc
  .tuple(
    fc.record(Object.fromEntries(metadataFields.map((field) => [field, anyField])), { requiredKeys: [] }),
    fc.dictionary(ownKey, ownValue, { maxKeys: 20, noNullPrototype: true }),
  )
  .map(([fields, own]) => ({ ...own, ...fields }))

describe.each(Object.entries(ways))('metadata round-trips through %s', (name, way) => {
  const isRemote = name === 'HTTP' || name === 'the client'

  test.each(metadataFields)('with %s alone', async (field) => {
    expect(await way({ [field]: 'x' })).toEqual({ [field]: 'x' })
  })

  test('with every field of the table and own keys', async () => {
    expect(parseMetadata(whole)).toBe(whole)
    expect(await way(whole)).toEqual(whole)
  })

  test('with any valid keys and values', async () => {
    await fc.assert(
      fc.asyncProperty(anyMetadata, async (metadata) => {
        expect(await way(parseMetadata(metadata))).toEqual(metadata)
      }),
      { numRuns: isRemote ? 30 : 200 },
    )
  })
})

test('a reducer receives metadata as it was written', () => {
  const [view] = [...project(lastMetadata, new Map<string, MetadataView>(), [recorded(whole)]).values()]
  expect(view).toEqual({ metadata: whole })
})

test('a mapping can set every metadata field, and own keys as text', () => {
  const columns = [...metadataFields, 'tenant']
  const spec = {
    stream: 'order.{id}',
    type,
    data: {},
    metadata: Object.fromEntries(columns.map((column) => [column, `{${column}}`])),
  }
  const mapping = new ImportMapping(spec, 'mapping.json')
  const metadata = Object.fromEntries(columns.map((column) => [column, `of ${column}`]))
  const row = new Map([['id', '1'], ...Object.entries(metadata)])
  expect(mapping.draftOf(row).metadata).toEqual(metadata)
  expect(mapping.rowOf({ ...recorded(metadata), streamId: streamIdOf('order', '1'), data: {} })).toEqual(row)
  expect(() => new ImportMapping({ ...spec, metadata: { 'a b': '{id}' } }, 'mapping.json')).toThrow(
    'metadata["a b"]',
  )
})
