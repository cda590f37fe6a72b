import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { createUpcasterChain, defineUpcaster, InvalidInputError } from '#domain'

import { EventCodec, type EventCodecOptions } from './event-codec.ts'
import { pushSchemas } from './push-schemas.ts'
import { loadCatalog, SchemaCatalog } from './schema-catalog.ts'
import { SchemaError, UnknownEventTypeError } from './schema-error.ts'
import { SchemaRegistry } from './schema-registry.ts'
import { FakeRegistry } from './testing/fake-registry.ts'
import { defaulted, record, schemaFiles } from './testing/schema-files.ts'

const items = { type: 'array', items: record('order.Item', { price: 'int' }) }
const placed = (version: number): string => `order/Placed.v${version}.avsc`

/** Version 2 is compatible with 1, version 3 breaks with it, version 4 is compatible with 3. */
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

/** What a service knew that ran with fewer versions. */
const upTo = (catalog: SchemaCatalog, version: number): SchemaCatalog =>
  new SchemaCatalog(catalog.all.filter((schema) => schema.version <= version))

interface Setup {
  readonly fake: FakeRegistry
  readonly catalog: SchemaCatalog
  readonly codecWith: (options?: Partial<EventCodecOptions>) => EventCodec
}

async function setUp(): Promise<Setup> {
  const fake = await FakeRegistry.start()
  const registry = new SchemaRegistry({ url: fake.url, retries: 1, retryDelayMs: 1 })
  const catalog = loadCatalog([schemaFiles(files)])
  await pushSchemas(catalog, registry)
  const codecWith = (options: Partial<EventCodecOptions> = {}): EventCodec =>
    new EventCodec({ catalog, registry, upcasters, ...options })
  return { fake, catalog, codecWith }
}

async function prepared(codec: EventCodec): Promise<EventCodec> {
  expect((await codec.prepare()).missing).toEqual([])
  return codec
}

/** The error of a piece of work, which must be one of ours. */
function failureOf(work: () => unknown): SchemaError {
  try {
    work()
  } catch (error) {
    if (error instanceof SchemaError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('pushing', () => {
  test('registers all versions in order, once', async () => {
    const { fake, catalog } = await setUp()
    const registry = new SchemaRegistry({ url: fake.url })
    const again = await pushSchemas(catalog, registry)
    expect(again.map(({ isNew }) => isNew)).toEqual(Array(6).fill(false))
    expect(again.map(({ subject }) => subject)).toEqual([
      'eventstore.order-order.Filled',
      'snapshots.order-order.OrderState',
      ...Array<string>(2).fill('eventstore.order-order.Placed'),
      ...Array<string>(2).fill('eventstore.order-order.v3.Placed'),
    ])
    const other = await FakeRegistry.start()
    const fresh = await pushSchemas(catalog, new SchemaRegistry({ url: other.url }))
    expect(fresh.map(({ id, isNew }) => [id, isNew])).toEqual([1, 2, 3, 4, 5, 6].map((id) => [id, true]))
  })
})

describe('encoding', () => {
  test('gives Confluent’s wire format with the latest version’s id', async () => {
    const { fake, catalog, codecWith } = await setUp()
    const codec = await prepared(codecWith())
    const bytes = codec.encode('order', 'Placed', { customer: 'Ada', note: '' })
    const latest = catalog.latest('order', 'Placed')
    expect(bytes[0]).toBe(0)
    expect(bytes.readUInt32BE(1)).toBe(fake.add(latest?.subject ?? '', latest?.text ?? ''))
    expect(bytes.subarray(5).toString('hex')).toBe('06416461' + '00' + '00')
  })

  test('each result is its own, and may be large', async () => {
    const codec = await prepared((await setUp()).codecWith())
    const texts = ['a', 'b'.repeat(300_000), 'c']
    const all = texts.map((note) => codec.encode('order', 'Placed', { customer: 'Ada', note }))
    expect(all.map((bytes) => (codec.decode(bytes).data as { note: string }).note)).toEqual(texts)
  })

  test('names the field that does not fit by its path', async () => {
    const codec = await prepared((await setUp()).codecWith())
    const wrong = { items: [{ price: 1 }, { price: 2 }, { price: '3' }] }
    const error = catchError(() => codec.encode('order', 'Filled', wrong)) as InvalidInputError
    expect(error).toBeInstanceOf(InvalidInputError)
    expect(error.path).toBe('data.items[2].price')
    expect(error.message).toBe('data.items[2].price: expected a whole number of 32 bits, got "3"')
    expect(() => codec.encode('order', 'OrderState', { open: 1 }, 'snapshot')).toThrow(
      'state.open: expected true or false',
    )
  })

  test('an event without a schema is told what there is', async () => {
    const codec = await prepared((await setUp()).codecWith())
    expect(() => codec.encode('order', 'Lost', {})).toThrow(UnknownEventTypeError)
    expect(() => codec.encode('order', 'Lost', {})).toThrow(
      'aggregate type order has no event type "Lost": it has Filled, Placed',
    )
    expect(() => codec.encode('cart', 'Lost', {})).toThrow(
      'aggregate type cart has no event type "Lost": it has none',
    )
  })

  test('a schema of another role does not count', async () => {
    const codec = await prepared((await setUp()).codecWith())
    const placed = { customer: 'Ada', note: '' }
    expect(() => codec.encode('order', 'OrderState', { open: true })).toThrow(
      'aggregate type order has no event type "OrderState": it has Filled, Placed.',
    )
    expect(failureOf(() => codec.encode('order', 'Placed', placed, 'snapshot'))).toMatchObject({
      code: 'unknown-schema',
      message: 'order has no schema "Placed" with the role "snapshot": it has OrderState',
    })
    expect(failureOf(() => codec.encode('order', 'OrderState', { open: true }, 'view')).message).toContain(
      'it has none',
    )
  })

  test('a schema that was not pushed is named, and works once it is', async () => {
    const fake = await FakeRegistry.start()
    const registry = new SchemaRegistry({ url: fake.url })
    const { catalog, codecWith } = await setUp()
    const codec = codecWith({ registry })
    const { missing, unreachable } = await codec.prepare()
    expect(missing).toHaveLength(3)
    expect(unreachable).toBeUndefined()
    const error = failureOf(() => codec.encode('order', 'Placed', {}))
    expect(error.code).toBe('not-registered')
    expect(error.message).toContain('Placed.v4.avsc is not registered at')
    await pushSchemas(catalog, registry)
    await prepared(codec)
    expect(codec.encode('order', 'OrderState', { open: true }, 'snapshot')).toHaveLength(6)
  })
})

describe('decoding', () => {
  test('takes what any version wrote to the latest', async () => {
    const { catalog, codecWith } = await setUp()
    const codec = await prepared(codecWith())
    const written: readonly [number, unknown][] = [
      [1, { who: 'Ada' }],
      [2, { who: 'Ada', note: 'x' }],
      [3, { customer: 'Ada', note: 'x' }],
      [4, { customer: 'Ada', note: 'x', tags: 'y' }],
    ]
    const read: unknown[] = []
    for (const [version, data] of written) {
      const old = codecWith({ catalog: upTo(catalog, version) })
      await old.prepare()
      read.push(codec.decode(old.encode('order', 'Placed', data)).data)
    }
    expect(read).toEqual([
      { customer: 'Ada', note: 'none' },
      { customer: 'Ada', note: 'x' },
      { customer: 'Ada', note: 'x', tags: null },
      { customer: 'Ada', note: 'x', tags: 'y' },
    ])
  })

  test('says what the bytes are of', async () => {
    const codec = await prepared((await setUp()).codecWith())
    expect(codec.decode(codec.encode('order', 'OrderState', { open: true }, 'snapshot'))).toEqual({
      aggregateType: 'order',
      eventType: 'OrderState',
      data: { open: true },
    })
  })

  test('a service reads newer compatible versions than it knows, once it has learnt their ids', async () => {
    const { fake, catalog, codecWith } = await setUp()
    const newer = await prepared(codecWith())
    const bytes = newer.encode('order', 'Placed', { customer: 'Ada', note: 'x', tags: 'y' })
    const older = codecWith({ catalog: upTo(catalog, 3) })
    await older.prepare()
    expect(older.knows(bytes)).toBe(false)
    expect(failureOf(() => older.decode(bytes)).code).toBe('unknown-schema')
    const asked = fake.requests.length
    const [first, second] = await Promise.all([older.decodeMany([bytes, bytes]), older.decodeMany([bytes])])
    expect(first[1]?.data).toEqual({ customer: 'Ada', note: 'x' })
    expect(second).toHaveLength(1)
    expect(fake.requests.length - asked).toBe(1)
    expect(older.knows(bytes)).toBe(true)
  })

  test('a breaking version that is newer than the service is refused by its name', async () => {
    const { catalog, codecWith } = await setUp()
    const newer = await prepared(codecWith())
    const bytes = newer.encode('order', 'Placed', { customer: 'Ada', note: '' })
    const older = codecWith({ catalog: upTo(catalog, 2) })
    await older.prepare()
    await expect(older.decodeMany([bytes])).rejects.toThrow(
      'is order.v3.Placed, which is in no schema file here',
    )
  })

  test('a writer’s schema that cannot be resolved is refused', async () => {
    const { fake, codecWith } = await setUp()
    const id = fake.add('other', JSON.stringify(record('order.v3.Placed', { customer: 'int' })))
    const codec = await prepared(codecWith())
    await codec.learn([id])
    const bytes = Buffer.from([0, 0, 0, 0, id, 2])
    expect(failureOf(() => codec.decode(bytes)).message).toContain(
      'cannot be read with the schema files here',
    )
  })

  test('an id that the registry does not have is named', async () => {
    const codec = await prepared((await setUp()).codecWith())
    await expect(codec.learn([1, 99])).rejects.toMatchObject({
      code: 'unknown-schema',
      details: { schemaId: 99 },
    })
  })

  test.each([
    ['', 'nothing'],
    ['7b7d', '7b7d'],
    ['010000000102', '0100000001'],
  ])('bytes %j are not of the wire format', async (hex, start) => {
    const codec = await prepared((await setUp()).codecWith())
    expect(failureOf(() => codec.decode(Buffer.from(hex, 'hex'))).message).toContain(
      `start with ${start} are not in`,
    )
  })

  test('damaged bytes are refused', async () => {
    const codec = await prepared((await setUp()).codecWith())
    const bytes = codec.encode('order', 'Placed', { customer: 'Ada', note: 'x' })
    const short = failureOf(() => codec.decode(bytes.subarray(0, -1)))
    expect(short.code).toBe('undecodable')
    expect(short.message).toContain(
      'order.v3.Placed (schema id 6) cannot be decoded: the bytes end too early',
    )
    const long = failureOf(() => codec.decode(Buffer.concat([bytes, Buffer.from([0])])))
    expect(long.message).toContain('there are bytes after the end')
  })
})

describe('while the registry is down', () => {
  test('ids that are known go on, and after a restart those in the file', async () => {
    const { fake, catalog, codecWith } = await setUp()
    const idFile = join(schemaFiles({}), 'cache', 'ids.json')
    const foreign = fake.add(
      'x',
      JSON.stringify(
        record('order.v3.Placed', { customer: 'string', note: 'string', more: defaulted('int', 1) }),
      ),
    )
    const codec = await prepared(codecWith({ idFile }))
    const bytes = codec.encode('order', 'Placed', { customer: 'Ada', note: 'x' })
    await codec.learn([foreign])
    await fake.stop()

    expect((await codec.decodeMany([bytes]))[0]?.data).toMatchObject({ customer: 'Ada' })
    await expect(codec.learn([99])).rejects.toMatchObject({ code: 'registry-unreachable' })

    const restarted = codecWith({ idFile })
    const { missing, unreachable } = await restarted.prepare()
    expect(missing).toEqual([])
    expect(unreachable?.code).toBe('registry-unreachable')
    expect(
      restarted.decode(restarted.encode('order', 'Placed', { customer: 'Bo', note: '' })).data,
    ).toMatchObject({
      customer: 'Bo',
    })
    expect(restarted.knows(Buffer.from([0, 0, 0, 0, foreign]))).toBe(true)

    const without = codecWith({ catalog: upTo(catalog, 3) })
    await expect(without.prepare()).rejects.toMatchObject({ code: 'registry-unreachable' })
  })

  test('a new schema gets a clear error, the others go on', async () => {
    const { fake, catalog, codecWith } = await setUp()
    const idFile = join(schemaFiles({}), 'ids.json')
    await codecWith({ idFile, catalog: upTo(catalog, 3) }).prepare()
    await fake.stop()
    const codec = codecWith({ idFile })
    expect((await codec.prepare()).missing).toEqual([catalog.latest('order', 'Placed')?.file])
    expect(failureOf(() => codec.encode('order', 'Placed', {})).code).toBe('not-registered')
    expect(codec.encode('order', 'OrderState', { open: true }, 'snapshot')).toHaveLength(6)
  })

  test('ids of another registry are not taken up', async () => {
    const { fake, codecWith } = await setUp()
    const idFile = join(schemaFiles({}), 'ids.json')
    await prepared(codecWith({ idFile }))
    await fake.stop()
    const moved = new SchemaRegistry({ url: fake.url.replace('127.0.0.1', 'localhost'), retries: 0 })
    await expect(codecWith({ idFile, registry: moved }).prepare()).rejects.toMatchObject({
      code: 'registry-unreachable',
    })
  })
})

describe('the id file', () => {
  test('is added to by several processes', async () => {
    const { fake, catalog, codecWith } = await setUp()
    const idFile = join(schemaFiles({}), 'ids.json')
    await codecWith({ idFile, catalog: upTo(catalog, 1) }).prepare()
    const one = codecWith({ idFile, catalog: new SchemaCatalog(catalog.versions('order', 'Placed')) })
    await one.prepare()
    const content = JSON.parse(readFileSync(idFile, 'utf8')) as { registry: string; schemas: object }
    expect(content.registry).toBe(fake.url)
    expect(Object.keys(content.schemas)).toHaveLength(6)
  })

  test('damaged, is begun anew', async () => {
    const { codecWith } = await setUp()
    const idFile = join(schemaFiles({ 'ids.json': '{"regis' }), 'ids.json')
    await prepared(codecWith({ idFile }))
    expect(readFileSync(idFile, 'utf8')).toContain('"schemas"')
  })

  test('that cannot be written is named', async () => {
    const { codecWith } = await setUp()
    const idFile = join(schemaFiles({ file: 'x' }), 'file', 'ids.json')
    await expect(codecWith({ idFile }).prepare()).rejects.toMatchObject({ code: 'cache-unusable' })
  })
})

test('what the registry refuses while ids are looked up is not taken for its being down', async () => {
  const { fake, codecWith } = await setUp()
  fake.planned.push({ status: 401, body: { message: 'no' } })
  await expect(codecWith().prepare()).rejects.toMatchObject({ code: 'registry-refused' })
})

function catchError(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}
