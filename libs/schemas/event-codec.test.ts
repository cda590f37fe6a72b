import { describe, expect, test } from 'vitest'

import { InvalidInputError } from '#domain'

import { pushSchemas } from './push-schemas.ts'
import { UnknownEventTypeError } from './schema-error.ts'
import { SchemaRegistry } from './schema-registry.ts'
import { failureOf, prepared, setUp, upTo } from './testing/codec-fixture.ts'
import { FakeRegistry } from './testing/fake-registry.ts'
import { record } from './testing/schema-files.ts'

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

  test('results do not share memory, and may be large', async () => {
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

  test('an event without a schema is reported with the existing types', async () => {
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

  test('a schema that was not pushed is named, and works once it is pushed', async () => {
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
  test('converts what any version wrote to the latest', async () => {
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

  test('identifies what the bytes contain', async () => {
    const codec = await prepared((await setUp()).codecWith())
    expect(codec.decode(codec.encode('order', 'OrderState', { open: true }, 'snapshot'))).toEqual({
      aggregateType: 'order',
      eventType: 'OrderState',
      data: { open: true },
    })
  })

  test('a service reads newer compatible versions than it knows, after fetching their ids', async () => {
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

  test('a breaking version newer than the service is rejected by name', async () => {
    const { catalog, codecWith } = await setUp()
    const newer = await prepared(codecWith())
    const bytes = newer.encode('order', 'Placed', { customer: 'Ada', note: '' })
    const older = codecWith({ catalog: upTo(catalog, 2) })
    await older.prepare()
    await expect(older.decodeMany([bytes])).rejects.toThrow(
      'is order.v3.Placed, which is in no schema file here',
    )
  })

  test('a writer schema that cannot be resolved is rejected', async () => {
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
  ])('bytes %j are not in the wire format', async (hex, start) => {
    const codec = await prepared((await setUp()).codecWith())
    expect(failureOf(() => codec.decode(Buffer.from(hex, 'hex'))).message).toContain(
      `start with ${start} are not in`,
    )
  })

  test('damaged bytes are rejected', async () => {
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

function catchError(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}
