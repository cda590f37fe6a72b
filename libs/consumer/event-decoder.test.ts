import { describe, expect, expectTypeOf, onTestFinished, test, vi } from 'vitest'

import { defineAggregate, newEventId } from '#domain'
import { type EncodedEvent, toLogRecord } from '#event-log/records'
import type { LogRecord } from '#kafka'

import { customer } from '../../examples/customers/customer.ts'
import { order } from '../../examples/orders/order.ts'
import type { OrderPlaced } from '../../schemas/order/events.generated.ts'
import { createEventDecoder } from './event-decoder.ts'
import { catalog, consumedMessage, type DecoderFixture, decoderFixture, topic } from './testing/index.ts'

const item = { sku: 'A-1', quantity: 2, price: '19.90' }

const without = (record: LogRecord, header: string): LogRecord => ({
  ...record,
  headers: record.headers.filter(([name]) => name !== header),
})
const withHeader = (record: LogRecord, header: string, text: string): LogRecord => ({
  ...record,
  headers: [...without(record, header).headers, [header, text]],
})

describe('an event', () => {
  test('is returned with its headers, its data in JSON form and its position', async () => {
    const { decoder, encoded } = await decoderFixture()
    const { value, timestampMs, ...event } = encoded(7)
    const message = consumedMessage(topic, toLogRecord({ ...event, value, timestampMs }), 12, 3)
    expect(await decoder.decode(message)).toEqual({
      kind: 'event',
      event: { ...event, position: { topic, partition: 3, offset: 12 }, data: item },
    })
  })

  test('of an older version is upcast', async () => {
    const { decoder, record, firstPlaced } = await decoderFixture()
    const value = firstPlaced('ada')
    expect(
      await decoder.decode(consumedMessage(topic, record(1, { type: 'OrderPlaced', value }), 0)),
    ).toMatchObject({
      kind: 'event',
      event: {
        type: 'OrderPlaced',
        data: { customerId: 'ada', placedAt: '2024-05-31T09:30:00.000Z', currency: 'EUR' },
      },
    })
  })

  test('has the type of its aggregates', async () => {
    const { client } = await decoderFixture()
    const decoder = createEventDecoder({ aggregates: [order, customer], catalog, registry: client })
    type Event = Extract<Awaited<ReturnType<typeof decoder.decode>>, { kind: 'event' }>['event']
    expectTypeOf(decoder).toHaveProperty('decode')
    expectTypeOf<Event['type']>().toEqualTypeOf<
      'ItemAdded' | 'OrderPlaced' | 'OrderShipped' | 'PurchaseMade'
    >()
    expectTypeOf<Extract<Event, { type: 'OrderPlaced' }>['data']>().toEqualTypeOf<OrderPlaced>()
  })
})

describe('a record that does not follow its stream', () => {
  test('is reported with its event; records that follow the stream are not', async () => {
    const { decoder, record } = await decoderFixture()
    const outcomes = []
    for (const [offset, version] of [4, 5, 5, 9, 6].entries()) {
      outcomes.push(await decoder.decode(consumedMessage(topic, record(version), offset)))
    }
    expect(outcomes).toMatchObject([
      { kind: 'event', event: { version: 4 } },
      { kind: 'event', event: { version: 5 } },
      { kind: 'out-of-sequence', event: { version: 5, data: item }, lastVersion: 5 },
      { kind: 'out-of-sequence', event: { version: 9, data: item }, lastVersion: 5 },
      { kind: 'event', event: { version: 6 } },
    ])
  })

  test('is accepted after a rebalance, until watching ends', async () => {
    const { decoder, record } = await decoderFixture()
    let rebalance: () => void = () => undefined
    let isWatched = true
    const stop = decoder.watch({
      events: { GROUP_JOIN: 'consumer.group_join' },
      on: (_, listener) => {
        rebalance = listener
        return () => (isWatched = false)
      },
    })
    const kindOf = async (version: number, offset: number) =>
      (await decoder.decode(consumedMessage(topic, record(version), offset))).kind
    expect(await kindOf(1, 0)).toBe('event')
    expect(await kindOf(9, 1)).toBe('out-of-sequence')
    rebalance()
    expect(await kindOf(9, 2)).toBe('event')
    stop()
    expect(isWatched).toBe(false)
  })

  test('is not assumed after an event that cannot be read', async () => {
    const { decoder, record } = await decoderFixture()
    const damaged = record(2, { value: record(2).value.subarray(0, 7) })
    expect(await decoder.decode(consumedMessage(topic, record(1), 0))).toMatchObject({ kind: 'event' })
    expect(await decoder.decode(consumedMessage(topic, damaged, 1))).toMatchObject({ kind: 'undecodable' })
    expect(await decoder.decode(consumedMessage(topic, record(2), 2))).toMatchObject({ kind: 'event' })
  })
})

describe('a foreign record', () => {
  const { key, headers, value } = { key: Buffer.from('k'), headers: [], value: Buffer.from('{"a":1}') }
  test.each<readonly [why: string, reason: string, change: (record: LogRecord) => LogRecord]>([
    ['no headers', 'it has no header ce_id', () => ({ key, headers, value, timestampMs: 0 })],
    ['no id', 'it has no header ce_id', (record) => without(record, 'ce_id')],
    ['no version', 'it has no header ce_streamversion', (record) => without(record, 'ce_streamversion')],
    ['version 0', 'versions start at 1', (record) => withHeader(record, 'ce_streamversion', '0')],
    [
      'a malformed version',
      '"-1" is not a version',
      (record) => withHeader(record, 'ce_streamversion', '-1'),
    ],
    [
      'another topic’s stream',
      'does not belong to eventstore.order',
      (record) => withHeader(record, 'ce_subject', 'customer.ada'),
    ],
    ['no stream id', 'has no dot', (record) => withHeader(record, 'ce_subject', 'order')],
    ['another key', 'its key is "k"', (record) => ({ ...record, key })],
    ['no value', 'it has no value', (record) => ({ ...record, value: null })],
    ['JSON', 'not in Confluent', (record) => ({ ...record, value })],
    ['no time', 'is not a time', (record) => withHeader(record, 'ce_time', 'yesterday')],
  ])('%s: is reported with its position and the reason', async (_, reason, change) => {
    const { decoder, record } = await decoderFixture()
    const outcome = await decoder.decode(consumedMessage(topic, change(record(1)), 3))
    expect(outcome).toMatchObject({
      kind: 'foreign',
      position: { topic, partition: 0, offset: 3 },
      reason: { message: expect.stringContaining(reason) as unknown },
    })
  })

  test('with a header without a value does not stop the decoder', async () => {
    const { decoder, record } = await decoderFixture()
    const decodeWith = (header: string) => {
      const headers = [...without(record(1), header).headers, [header, null] as const]
      return decoder.decode(consumedMessage(topic, { ...record(1), headers }, 3))
    }
    expect(await decodeWith('ce_id')).toMatchObject({ kind: 'foreign', reason: { path: 'headers.ce_id' } })
    expect(await decodeWith('ce_userid')).toMatchObject({
      kind: 'event',
      event: { metadata: { userId: '' } },
    })
  })

  test('without a key, or with a repeated header, does not stop the decoder', async () => {
    const { decoder, record } = await decoderFixture()
    const keyless = consumedMessage(topic, record(1), 3)
    keyless.message.key = null
    expect(await decoder.decode(keyless)).toMatchObject({ kind: 'foreign', reason: { path: 'key' } })
    const id = newEventId()
    const twice = consumedMessage(topic, record(1), 3)
    twice.message.headers = { ...twice.message.headers, ce_id: ['first', id] }
    expect(await decoder.decode(twice)).toMatchObject({ kind: 'event', event: { id } })
  })
})

describe('an event that cannot be read', () => {
  interface Case {
    readonly title: string
    readonly reason: string
    readonly change: (parts: DecoderFixture) => Partial<EncodedEvent>
  }
  test.each<Case>([
    {
      title: 'unknown schema id',
      reason: 'schema id 4000 cannot be used',
      change: () => ({ value: Buffer.from([0, 0, 0, 15, 160, 1]) }),
    },
    {
      title: 'damaged bytes',
      reason: 'cannot be decoded',
      change: ({ encoded }) => ({ value: encoded(1).value.subarray(0, 7) }),
    },
    {
      title: 'schema of a newer version',
      reason: 'is order.v9.ItemAdded, which is in no schema file here',
      change: ({ fake }) => {
        const id = fake.add('s', '{"type":"record","name":"ItemAdded","namespace":"order.v9","fields":[]}')
        return { value: Buffer.from([0, 0, 0, 0, id]) }
      },
    },
    {
      title: 'a schema that is not Avro',
      reason: 'cannot be used',
      change: ({ fake }) => ({ value: Buffer.from([0, 0, 0, 0, fake.add('s', '{"type":"nothing"}')]) }),
    },
    {
      title: 'the schema of another event',
      reason: 'was written with the schema of order.ItemAdded',
      change: () => ({ type: 'OrderShipped' }),
    },
    {
      title: 'an upcaster that fails',
      reason: 'upcaster for order.OrderPlaced from version 1 to 2 failed: no',
      change: ({ firstPlaced }) => ({ type: 'OrderPlaced', value: firstPlaced('fail') }),
    },
  ])('$title: is reported with its headers and the reason', async ({ reason, change }) => {
    const parts = await decoderFixture()
    const decoder = createEventDecoder({
      aggregates: [order],
      upcasters: [{ aggregateType: 'order', eventType: 'OrderPlaced', fromVersion: 1, upcast: failing }],
      catalog,
      registry: parts.client,
    })
    const outcome = await decoder.decode(consumedMessage(topic, parts.record(3, change(parts)), 8))
    expect(outcome).toMatchObject({
      kind: 'undecodable',
      event: { streamId: 'order.order-42', version: 3, position: { offset: 8 } },
      reason: { message: expect.stringContaining(reason) as unknown },
    })
    expect(outcome).not.toHaveProperty('event.data')
  })

  const failing = (): never => {
    throw new Error('no')
  }

  test('of an aggregate or an event type that the decoder does not have', async () => {
    const { client, record } = await decoderFixture()
    const decoderOf = (aggregates: Parameters<typeof createEventDecoder>[0]['aggregates']) =>
      createEventDecoder({ aggregates, catalog, registry: client })
    const message = consumedMessage(topic, record(1), 0)
    expect(await decoderOf([customer]).decode(message)).toMatchObject({
      kind: 'undecodable',
      reason: { message: expect.stringContaining('has no aggregate order: it has customer') as unknown },
    })
    const older = defineAggregate<null, { type: 'OrderPlaced'; data: unknown }>({
      type: 'order',
      initialState: null,
      evolve: { OrderPlaced: () => null },
    })
    expect(await decoderOf([older]).decode(message)).toMatchObject({
      kind: 'undecodable',
      reason: {
        message: expect.stringContaining('order has no event type ItemAdded: it has OrderPlaced') as unknown,
      },
    })
  })
})

describe('the registry', () => {
  test('is asked once for each id, also when messages are decoded concurrently', async () => {
    const { fake, decoder, record } = await decoderFixture()
    const before = fake.requests.length
    const messages = [1, 2, 3].map((version) => consumedMessage(topic, record(version), version))
    const outcomes = await Promise.all(messages.map((message) => decoder.decode(message)))
    expect(outcomes.map(({ kind }) => kind)).toEqual(['event', 'event', 'event'])
    expect(fake.requests.slice(before)).toHaveLength(1)
  })

  test('while it fails, decoding throws, and a redelivered message is decoded', async () => {
    const { fake, decoder, record } = await decoderFixture()
    const message = consumedMessage(topic, record(1), 0)
    for (const status of [503, 429, 401]) {
      fake.planned.push({ status, body: 'no' })
      await expect(decoder.decode(message)).rejects.toMatchObject({ code: 'registry-unreachable' })
    }
    expect(await decoder.decode(message)).toMatchObject({ kind: 'event' })
  })

  test('is asked again only after 30 s for an id that failed, and then finds a schema registered later', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    vi.advanceTimersByTime(1) // lru-cache takes the time 0 for none
    const { client, record } = await decoderFixture()
    const asked: number[] = []
    let isRegistered = false
    const registry = {
      getSchema: (id: number) => {
        asked.push(id)
        return isRegistered ? client.getSchema(id) : Promise.reject(notFound())
      },
    }
    const decoder = createEventDecoder({ aggregates: [order], catalog, registry })
    const kindOf = async (version: number) =>
      (await decoder.decode(consumedMessage(topic, record(version), version))).kind
    expect([await kindOf(1), await kindOf(2)]).toEqual(['undecodable', 'undecodable'])
    isRegistered = true
    vi.advanceTimersByTime(29_999)
    expect(await kindOf(3)).toBe('undecodable')
    expect(asked).toHaveLength(1)
    vi.advanceTimersByTime(2)
    expect([await kindOf(4), await kindOf(5)]).toEqual(['event', 'event'])
    expect(asked).toHaveLength(2)
  })

  const notFound = () => Object.assign(new Error('no such id'), { status: 404 })

  test('that does not answer fails after the time limit', async () => {
    const { record } = await decoderFixture()
    const registry = { getSchema: () => new Promise<never>(() => undefined) }
    const decoder = createEventDecoder({ aggregates: [order], catalog, registry, lookupTimeoutMs: 20 })
    await expect(decoder.decode(consumedMessage(topic, record(1), 0))).rejects.toMatchObject({
      code: 'registry-unreachable',
      message: expect.stringContaining('no answer within 20 ms') as unknown,
    })
  })
})
