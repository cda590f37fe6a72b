import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { type Consumer, Kafka, logLevel } from 'kafkajs'
import { expect, onTestFinished, test } from 'vitest'

import { createEventDecoder, type DecodedMessage, type EventDecoder, registryTimeout } from '#consumer'
import { defineAggregate, eventTopic, type RecordedEvent, type StreamId } from '#domain'
import type { LogRecord } from '#kafka'
import { loadCatalog } from '#schemas'

import { followPurchases } from '../../../examples/consumer/follow-purchases.ts'
import { customer } from '../../../examples/customers/customer.ts'
import { openDirectBackends, placeOf, purchaseRecord } from '../../support/append/past-the-writer.ts'
import { testClient } from '../../support/services/closing.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import {
  purchase,
  purchases,
  runningWriter,
  streamPerPartition,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { testStack, uniqueName, waitFor } from '../../support/stack/stack.ts'

const partitions = 3
type Decoded = DecodedMessage

/** A writer of a separate installation, a client, and a stream in each partition. */
async function begin() {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: String(partitions) })
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const history = async (): Promise<readonly RecordedEvent[]> =>
    (await client.readCategory(where.type, { limit: 1_000 })).events
  return { where, client, history, streams: streamPerPartition(where.type, partitions) }
}

const kafka = (): Kafka => new Kafka({ brokers: [...testStack().kafkaBrokers], logLevel: logLevel.NOTHING })

const registryClient = (): SchemaRegistry =>
  new SchemaRegistry({ host: testStack().registryUrl, middlewares: [registryTimeout(5_000)] })

const decoderFor = ({ type, domain }: Installation) =>
  createEventDecoder({
    aggregates: [{ ...customer, type }],
    catalog: loadCatalog([domain.schemaFolder]),
    registry: registryClient(),
  })

/** Consumes an installation's events until the end of the test at the latest. */
async function consume(
  { type }: Installation,
  groupId: string,
  decoder: EventDecoder,
  handle: (decoded: Decoded) => void,
): Promise<Consumer> {
  const retry = { initialRetryTime: 20, retries: 20 }
  const consumer = kafka().consumer({ groupId, retry, sessionTimeout: 6_000, heartbeatInterval: 100 })
  onTestFinished(() => consumer.disconnect())
  decoder.watch(consumer)
  await consumer.connect()
  await consumer.subscribe({ topic: eventTopic(type), fromBeginning: true })
  await consumer.run({ eachMessage: async (payload) => handle(await decoder.decode(payload)) })
  return consumer
}

/** Writes records with a plain producer. */
async function produce(where: Installation, streamId: StreamId, record: Partial<LogRecord>): Promise<void> {
  const { topic, partition } = placeOf(streamId, where.type, partitions)
  const producer = kafka().producer()
  await producer.connect()
  const { key = null, value = null, headers = [] } = record
  await producer.send({ topic, messages: [{ partition, key, value, headers: Object.fromEntries(headers) }] })
  await producer.disconnect()
}

const eventsIn = (all: readonly Decoded[]): RecordedEvent[] =>
  all.flatMap((decoded) => (decoded.kind === 'event' ? [decoded.event] : []))

const byPosition = (a: RecordedEvent, b: RecordedEvent): number =>
  a.position.partition - b.position.partition || a.position.offset - b.position.offset

test('a kafkajs consumer gets the same events as the writer serves, and reports foreign and stray records', async () => {
  const { where, client, history, streams } = await begin()
  const metadata = { correlationId: 'c-1', userId: 'ada', source: '/shop' }
  for (const streamId of streams) await client.append(streamId, [purchase(1, { metadata }), ...purchases(3)])
  const [streamId = where.type as StreamId] = streams
  const stray = purchaseRecord(await openDirectBackends(where), where.type, streamId, 3)
  await produce(where, streamId, stray)
  await produce(where, streamId, { key: Buffer.from('any'), value: Buffer.from('{}') })
  await client.append(streamId, purchases(2))

  const seen: Decoded[] = []
  const stop = await followPurchases(
    {
      brokers: testStack().kafkaBrokers,
      registryUrl: testStack().registryUrl,
      groupId: uniqueName('group'),
      schemaFolders: [where.domain.schemaFolder],
      type: where.type,
    },
    (decoded) => void seen.push(decoded),
  )
  onTestFinished(stop)
  const written = await history()
  await waitFor('all messages', () => Promise.resolve(seen.length === written.length + 2))
  expect(eventsIn(seen).toSorted(byPosition)).toEqual(written.toSorted(byPosition))
  expect(seen.filter(({ kind }) => kind !== 'event')).toMatchObject([
    { kind: 'out-of-sequence', event: { streamId, version: 3 }, lastVersion: 4 },
    { kind: 'foreign', position: { topic: eventTopic(where.type) } },
  ])
})

test('a consumer with a newer domain upcasts events of an older schema version', async () => {
  const { where, client, streams } = await begin()
  const { type } = where
  const [streamId = type as StreamId] = streams
  await client.append(streamId, purchases(2))
  const upcaster = {
    aggregateType: type,
    eventType: 'PurchaseMade',
    fromVersion: 1,
    upcast: (data: unknown) => ({ spent: (data as { readonly amount: string }).amount }),
  }
  const decoder = createEventDecoder({
    aggregates: [
      defineAggregate<null, { type: 'PurchaseMade'; data: { readonly spent: string } }>({
        type,
        initialState: null,
        evolve: { PurchaseMade: () => null },
      }),
    ],
    upcasters: [upcaster],
    catalog: loadCatalog([withSecondVersion(where)]),
    registry: registryClient(),
  })
  const seen: Decoded[] = []
  await consume(where, uniqueName('group'), decoder, (decoded) => seen.push(decoded))
  await waitFor('both events', () => Promise.resolve(seen.length === 2))
  expect(eventsIn(seen)).toMatchObject([
    { streamId, version: 1, data: { spent: '12.50' } },
    { streamId, version: 2, data: { spent: '12.50' } },
  ])
})

/** An installation's schema files, and a second, incompatible version of the purchase. */
function withSecondVersion({ type, domain }: Installation): string {
  const folder = mkdtempSync(join(tmpdir(), 'annals-newer-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  cpSync(domain.schemaFolder, folder, { recursive: true })
  const first = JSON.parse(readFileSync(join(folder, type, 'PurchaseMade.v1.avsc'), 'utf8')) as {
    readonly namespace: string
    readonly fields: readonly { readonly name: string }[]
  }
  const fields = first.fields
    .filter(({ name }) => name === 'amount')
    .map((field) => ({ ...field, name: 'spent' }))
  const second = { ...first, namespace: `${first.namespace}.v2`, fields }
  writeFileSync(join(folder, type, 'PurchaseMade.v2.avsc'), JSON.stringify(second))
  return folder
}

test('while the registry fails, kafkajs retries the message, and no event is lost', async () => {
  const { where, client, history, streams } = await begin()
  for (const streamId of streams) await client.append(streamId, purchases(3))
  const real = registryClient()
  let failures = 0
  const decoder = createEventDecoder({
    aggregates: [{ ...customer, type: where.type }],
    catalog: loadCatalog([where.domain.schemaFolder]),
    registry: {
      getSchema: (id) => (failures++ < 6 ? Promise.reject(new Error('down')) : real.getSchema(id)),
    },
  })
  const seen: Decoded[] = []
  await consume(where, uniqueName('group'), decoder, (decoded) => seen.push(decoded))
  const written = await history()
  await waitFor('all events', () => Promise.resolve(seen.length === written.length))
  expect(failures).toBeGreaterThan(6)
  expect(eventsIn(seen).toSorted(byPosition)).toEqual(written.toSorted(byPosition))
})

test('partitions that move to another consumer and back raise no false alarm', async () => {
  const { where, client, history, streams } = await begin()
  const groupId = uniqueName('group')
  const seen: Decoded[] = []
  const see = (decoded: Decoded) => seen.push(decoded)
  const appendAll = async () => {
    for (const streamId of streams) await client.append(streamId, purchases(2))
  }
  const allSeen = (what: string) =>
    waitFor(what, async () => {
      const ids = new Set(eventsIn(seen).map(({ id }) => id))
      return ids.size === (await history()).length
    })
  await appendAll()
  await consume(where, groupId, decoderFor(where), see)
  await allSeen('the first events')
  const other: Decoded[] = []
  const second = await consume(where, groupId, decoderFor(where), (decoded) => {
    other.push(decoded)
    see(decoded)
  })
  await waitFor('events at the second consumer', async () => {
    await appendAll()
    return other.length > 0
  })
  await allSeen('the events of both')
  await second.disconnect()
  await appendAll()
  await allSeen('the last events')
  expect(seen.filter(({ kind }) => kind !== 'event')).toEqual([])
})
