import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { SchemaRegistry as RegistryClient } from '@kafkajs/confluent-schema-registry'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createUpcasterChain } from '#domain'
import { EventCodec, loadCatalog, pushSchemas, SchemaRegistry } from '#schemas'

import orders from '../../../examples/orders/domain.ts'
import { testStack, uniqueName } from '../../support/stack/stack.ts'

/** Forwards connections to the registry until it is cut. */
class Cable {
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  constructor(to: URL) {
    this.#server = createServer((socket) => {
      const upstream = createConnection(Number(to.port), to.hostname)
      for (const end of [socket, upstream]) {
        this.#sockets.add(end)
        end.on('error', () => end.destroy())
      }
      socket.pipe(upstream).pipe(socket)
    })
  }

  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  cut(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

const catalog = loadCatalog(['schemas'])
const upcasters = createUpcasterChain(orders.upcasters)
let registry: SchemaRegistry
let folder: string

beforeAll(async () => {
  registry = new SchemaRegistry({ url: testStack().registryUrl })
  await pushSchemas(catalog, registry)
  folder = mkdtempSync(join(tmpdir(), 'annals-ids-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

const schemaOf = (name: string, fields: object[]): string =>
  JSON.stringify({ type: 'record', name, namespace: 'test', fields })

test('schemas are registered once; a second push finds them all', async () => {
  const pushed = await pushSchemas(catalog, registry)
  expect(pushed.map(({ isNew }) => isNew)).toEqual(catalog.all.map(() => false))
  for (const { id, subject } of pushed) {
    const schema = catalog.all.find((each) => each.subject === subject)
    expect(JSON.parse((await registry.schemaById(id)) ?? '')).toEqual(JSON.parse(schema?.text ?? ''))
  }
})

test('an incompatible version is refused, with subject and reason; a compatible one is not', async () => {
  const name = uniqueName('Event').replaceAll('-', '')
  const subject = `eventstore.test-test.${name}`
  const a = { name: 'a', type: 'string' }
  const first = schemaOf(name, [a])
  const compatible = schemaOf(name, [a, { name: 'b', type: 'int', default: 0 }])
  const incompatible = schemaOf(name, [a, { name: 'c', type: 'int' }])
  expect(await registry.find(subject, first)).toBeUndefined()
  expect(await registry.checkCompatibility(subject, first)).toMatchObject({ compatible: true })
  const id = await registry.register(subject, first)
  expect(await registry.register(subject, first)).toBe(id)
  expect(await registry.checkCompatibility(subject, compatible)).toMatchObject({ compatible: true })
  expect(await registry.checkCompatibility(subject, incompatible)).toMatchObject({ compatible: false })
  // New readers cannot read old events, and old readers cannot read new ones.
  expect(await registry.checkCompatibility(subject, schemaOf(name, []))).toMatchObject({ compatible: false })
  await expect(registry.register(subject, incompatible)).rejects.toMatchObject({
    code: 'incompatible',
    message: expect.stringContaining(`subject ${subject} as incompatible`) as unknown,
  })
  expect(await registry.register(subject, compatible)).not.toBe(id)
  expect(await registry.schemaById(2 ** 31 - 1)).toBeUndefined()
})

test('known ids keep working while the registry is down, even after a restart', async () => {
  const target = new URL(testStack().registryUrl)
  const cable = new Cable(target)
  const url = new URL(target.href)
  url.port = String(await cable.open())
  const options = {
    catalog,
    upcasters,
    registry: new SchemaRegistry({ url: url.href, retries: 1, retryDelayMs: 10 }),
    idFile: join(folder, 'ids.json'),
  }
  const codec = new EventCodec(options)
  expect(await codec.prepare()).toEqual({ missing: [] })
  const data = { sku: 'A-1', quantity: 2, price: '19.99' }
  const bytes = codec.encode('order', 'ItemAdded', data)
  cable.cut()

  expect(await codec.decodeMany([bytes, codec.encode('order', 'ItemAdded', data)])).toHaveLength(2)
  await expect(codec.learn([2 ** 31 - 1])).rejects.toMatchObject({
    code: 'registry-unreachable',
    message: expect.stringContaining(`the schema registry at ${url.origin}`) as unknown,
  })

  const restarted = new EventCodec(options)
  expect(await restarted.prepare()).toMatchObject({
    missing: [],
    unreachable: { code: 'registry-unreachable' },
  })
  expect(restarted.decode(bytes).data).toEqual(data)
  expect(restarted.encode('order', 'ItemAdded', data)).toEqual(bytes)
})

test('events of an older schema version are looked up by id and upcast to the latest', async () => {
  const first = catalog.versions('order', 'OrderPlaced')[0]
  const id = await registry.find(first?.subject ?? '', first?.text ?? '')
  const bytes = Buffer.concat([
    Buffer.from([0, 0, 0, 0, 0]),
    first?.type.toBuffer({ customer: 'Ada', placedAt: 1_717_147_800_000 }) ?? Buffer.alloc(0),
  ])
  bytes.writeUInt32BE(id ?? 0, 1)
  const codec = new EventCodec({ catalog, upcasters, registry })
  const [decoded] = await codec.decodeMany([bytes])
  expect(decoded).toEqual({
    aggregateType: 'order',
    eventType: 'OrderPlaced',
    data: { customerId: 'Ada', placedAt: '2024-05-31T09:30:00.000Z', currency: 'EUR' },
  })
})

test('the ecosystem’s own client reads encoded values', async () => {
  const codec = new EventCodec({ catalog, upcasters, registry })
  await codec.prepare()
  const bytes = codec.encode('customer', 'PurchaseMade', { date: '1997-01-12', cds: 3, amount: '35.99' })
  const client = new RegistryClient({ host: testStack().registryUrl })
  expect(await client.decode(bytes)).toMatchObject({ date: 9873, cds: 3, amount: Buffer.from([0x0e, 0x0f]) })
})
