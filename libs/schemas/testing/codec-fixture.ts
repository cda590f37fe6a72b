import { expect } from 'vitest'

import { createUpcasterChain, defineUpcaster } from '#domain'

import { EventCodec, type EventCodecOptions } from '../event-codec.ts'
import { pushSchemas } from '../push-schemas.ts'
import { loadCatalog, SchemaCatalog } from '../schema-catalog.ts'
import { SchemaError } from '../schema-error.ts'
import { SchemaRegistry } from '../schema-registry.ts'
import { FakeRegistry } from './fake-registry.ts'
import { defaulted, record, schemaFiles } from './schema-files.ts'

const items = { type: 'array', items: record('order.Item', { price: 'int' }) }
const placed = (version: number): string => `order/Placed.v${version}.avsc`

/** Version 2 is compatible with 1, version 3 breaks with 2, version 4 is compatible with 3. */
const files = {
  [placed(1)]: record('order.Placed', { who: 'string' }),
  [placed(2)]: record('order.Placed', { who: 'string', note: defaulted('string', 'none') }),
  [placed(3)]: record('order.v3.Placed', { customer: 'string', note: 'string' }),
  [placed(4)]: record('order.v3.Placed', {
    customer: 'string',
    note: 'string',
    tags: defaulted(['null', 'string'], null),
  }),
  'order/Filled.v1.avsc': record('order.Filled', { items }),
  'order/OrderState.v1.avsc': record('order.OrderState', { open: 'boolean' }, { role: 'snapshot' }),
}

const upcasters = createUpcasterChain([
  defineUpcaster<{ who: string; note: string }, unknown>({
    aggregateType: 'order',
    eventType: 'Placed',
    fromVersion: 2,
    upcast: ({ who, note }) => ({ customer: who, note }),
  }),
])

/** The catalog of a service that started with fewer versions. */
export const upTo = (catalog: SchemaCatalog, version: number): SchemaCatalog =>
  new SchemaCatalog(catalog.all.filter((schema) => schema.version <= version))

interface Setup {
  readonly fake: FakeRegistry
  readonly catalog: SchemaCatalog
  readonly codecWith: (options?: Partial<EventCodecOptions>) => EventCodec
}

/** A registry with all schemas, and codecs for it. */
export async function setUp(): Promise<Setup> {
  const fake = await FakeRegistry.start()
  const registry = new SchemaRegistry({ url: fake.url, retries: 1, retryDelayMs: 1 })
  const catalog = loadCatalog([schemaFiles(files)])
  await pushSchemas(catalog, registry)
  const codecWith = (options: Partial<EventCodecOptions> = {}): EventCodec =>
    new EventCodec({ catalog, registry, upcasters, ...options })
  return { fake, catalog, codecWith }
}

/** The codec with the ids of all schemas. */
export async function prepared(codec: EventCodec): Promise<EventCodec> {
  expect((await codec.prepare()).missing).toEqual([])
  return codec
}

/** The error that the work throws, which must be a SchemaError. */
export function failureOf(work: () => unknown): SchemaError {
  try {
    work()
  } catch (error) {
    if (error instanceof SchemaError) return error
    throw error
  }
  throw new Error('it did not fail')
}
