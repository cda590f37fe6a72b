import { SchemaRegistry as RegistryClient } from '@kafkajs/confluent-schema-registry'

import { newEventId, parseStreamId, parseVersion } from '#domain'
import { type EncodedEvent, toLogRecord } from '#event-log/records'
import type { LogRecord } from '#kafka'
import { loadCatalog, RecordCodec, type SchemaVersion } from '#schemas'
import { FakeRegistry } from '#schemas/testing'

import orders from '../../../examples/orders/domain.ts'
import { order } from '../../../examples/orders/order.ts'
import { createEventDecoder, type EventDecoder, type EventOf, registryTimeout } from '../index.ts'

export const topic = 'eventstore.order'
export const catalog = loadCatalog(['schemas'])

/** A decoder of orders with the real client and an in-memory registry. */
export interface DecoderFixture {
  readonly fake: FakeRegistry
  readonly client: RegistryClient
  readonly decoder: EventDecoder<EventOf<typeof order>>
  /** `ItemAdded` of order-42, with the changes. */
  readonly encoded: (version: number, changes?: Partial<EncodedEvent>) => EncodedEvent
  /** The same event as the writer's record. */
  readonly record: (
    version: number,
    changes?: Partial<EncodedEvent>,
  ) => LogRecord & { readonly value: Buffer }
  /** Encoded data of `OrderPlaced` in schema version 1. */
  readonly firstPlaced: (customer: string) => Buffer
}

/** Call it inside a test: the registry stops at the end of the test. */
export async function decoderFixture(): Promise<DecoderFixture> {
  const fake = await FakeRegistry.start()
  const middlewares = [registryTimeout(10_000)]
  const client = new RegistryClient({ host: fake.url, retry: { retries: 0 }, middlewares })
  const write = (schema: SchemaVersion | undefined, data: unknown): Buffer => {
    if (schema === undefined) throw new Error('the examples have no such schema')
    return new RecordCodec(schema).encode(fake.add(schema.subject, schema.text), data)
  }
  const encoded: DecoderFixture['encoded'] = (version, changes) => ({
    id: newEventId(),
    streamId: parseStreamId('order.order-42'),
    type: 'ItemAdded',
    version: parseVersion(version),
    timestamp: '2026-01-05T10:00:00.000Z',
    timestampMs: Date.parse('2026-01-05T10:00:00.000Z'),
    metadata: { correlationId: 'c-1', source: '/shop' },
    value: write(catalog.latest('order', 'ItemAdded'), { sku: 'A-1', quantity: 2, price: '19.90' }),
    ...changes,
  })
  const [first] = catalog.versions('order', 'OrderPlaced')
  const decoder = createEventDecoder({
    aggregates: [order],
    upcasters: orders.upcasters,
    catalog,
    registry: client,
  })
  return {
    fake,
    client,
    decoder,
    encoded,
    record: (version, changes) => toLogRecord(encoded(version, changes)),
    firstPlaced: (customer) => write(first, { customer, placedAt: '2024-05-31T09:30:00.000Z' }),
  }
}
