import { describe, expect, test } from 'vitest'

import { type StreamId } from '#domain'

import { callableWriter } from '../../support/http/http-call.ts'

const event = {
  type: 'OrderPlaced',
  data: { customerId: 'c-7', amount: '12.50', nested: [null, { deep: true }] },
}
const path = '/streams/order.1/events'

describe('invalid input gets a problem with the place, and nothing is written', () => {
  test.each<[string, unknown, number, string, string | undefined]>([
    ['text that is not JSON', '{"events":', 400, 'invalid-request', undefined],
    ['an empty body', '', 400, 'invalid-request', undefined],
    ['a body that is not an object', [], 400, 'invalid-request', undefined],
    ['no events', {}, 400, 'invalid-request', 'events'],
    ['an empty list of events', { events: [] }, 400, 'invalid-request', 'events'],
    ['events that are not a list', { events: event }, 400, 'invalid-request', 'events'],
    [
      'an event type that is not text',
      { events: [event, { type: 7, data: {} }] },
      400,
      'invalid-request',
      'events[1].type',
    ],
    ['an empty event type', { events: [{ type: '', data: {} }] }, 400, 'invalid-request', 'events[0].type'],
    ['an event without data', { events: [{ type: 'A' }] }, 400, 'invalid-request', 'events[0].data'],
    [
      'an unknown field of an event',
      { events: [{ ...event, streamVersion: 3 }] },
      400,
      'invalid-request',
      'events[0].streamVersion',
    ],
    [
      'metadata that is not a scalar value',
      { events: [{ ...event, metadata: { tenant: ['x'] } }] },
      400,
      'invalid-request',
      'events[0].metadata.tenant',
    ],
    ['a malformed event id', { events: [{ ...event, id: 'first' }] }, 400, 'invalid-request', 'events[0].id'],
    [
      'an unknown expected version',
      { events: [event], expectedVersion: 'latest' },
      400,
      'invalid-request',
      'expectedVersion',
    ],
    [
      'a version in quotes',
      { events: [event], expectedVersion: '3' },
      400,
      'invalid-request',
      'expectedVersion',
    ],
    [
      'a negative version',
      { events: [event], expectedVersion: -1 },
      400,
      'invalid-request',
      'expectedVersion',
    ],
    ['an unknown field', { events: [event], expectVersion: 3 }, 400, 'invalid-request', 'expectVersion'],
    [
      'a body that is too large',
      { events: [{ type: 'A', data: 'x'.repeat(20_000) }] },
      413,
      'append-too-large',
      undefined,
    ],
  ])('%s', async (_, body, status, code, where) => {
    const { api, call } = await callableWriter()
    const answer = await call('POST', path, body)
    expect(answer).toMatchObject({ status, body: { status, code, type: `urn:annals:problem:${code}` } })
    expect(answer.type).toMatch(/^application\/problem\+json/)
    expect(answer.body['path']).toBe(where)
    expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|at .*\.ts/)
    expect((await api.store.load('order.1' as StreamId)).version).toBe(0)
  })

  test.each<[string, string]>([
    ['latin-1', 'ca\xe9'],
    ['a truncated sequence', 'a\xe2\x82'],
    ['a surrogate as three bytes', '\xed\xa0\x80'],
    ['an overlong form', '\xc0\xaf'],
  ])('bytes that are not UTF-8: %s', async (_, bytes) => {
    const { api, url } = await callableWriter()
    for (const [at, body] of [
      [path, `{"events":[{"type":"A","data":"${bytes}"}]}`],
      [path, `{"events":[{"type":"A","data":{"${bytes}":1}}]}`],
      ['/appends', `{"appends":[{"streamId":"order.1","events":[{"type":"A","data":"${bytes}"}]}]}`],
    ] as const) {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(url + at, { method: 'POST', body: Buffer.from(body, 'latin1'), headers })
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({
        code: 'invalid-request',
        detail: expect.stringContaining('not UTF-8') as string,
      })
    }
    expect((await api.store.load('order.1' as StreamId)).version).toBe(0)
  })

  test.each(['iso-8859-1', '"latin1"', 'utf-16', 'utf-8; charset=windows-1252'])(
    'the charset %s',
    async (charset) => {
      const { api, call } = await callableWriter()
      const type = `application/json; charset=${charset}`
      const answer = await call('POST', path, { events: [event] }, { 'content-type': type })
      expect(answer).toMatchObject({
        status: 415,
        body: {
          code: 'content-type-not-json',
          detail: expect.stringContaining('JSON is accepted in UTF-8 only') as string,
        },
      })
      expect((await api.store.load('order.1' as StreamId)).version).toBe(0)
    },
  )

  test.each<[string, string, string]>([
    ['a number that overflows', '{"a":[1e400]}', 'events[0].data.a[0]'],
    ['a lone surrogate', '{"a":"x\\ud800"}', 'events[0].data.a'],
    ['a lone surrogate in a key', '{"x\\ud800":1}', 'events[0].data["x\\ud800"]'],
    ['the key __proto__', '{"a":{"__proto__":{"b":1}}}', 'events[0].data.a.__proto__'],
    ['the same with escapes', '{"\\u005f\\u005Fproto__":1}', 'events[0].data.__proto__'],
  ])('JSON that would not be returned unchanged: %s', async (_, data, where) => {
    const { api, call } = await callableWriter()
    const answer = await call('POST', path, `{"events":[{"type":"A","data":${data}}]}`)
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-event', path: where } })
    expect((await api.store.load('order.1' as StreamId)).version).toBe(0)
  })

  test('another content type', async () => {
    const { call } = await callableWriter()
    const answer = await call('POST', path, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })
    expect(answer).toMatchObject({ status: 415, body: { code: 'content-type-not-json' } })
  })

  test.each([
    ['/streams/order', 'streamId'],
    ['/streams/Order.1', 'streamId'],
    [`/streams/order.${'x'.repeat(201)}`, 'streamId'],
    ['/streams/order.1/events?limit=0', 'limit'],
    ['/streams/order.1/events?limit=1.5', 'limit'],
    ['/streams/order.1/events?limit=ten', 'limit'],
    ['/streams/order.1/events?fromVersion=-1', 'fromVersion'],
    ['/streams/order.1/events?direction=up', 'direction'],
    ['/streams/order.1/events?from=yesterday', 'from'],
    ['/streams/order.1/events?limt=5', 'limt'],
    ['/streams/order.1/load?stateVersion=x', 'stateVersion'],
    ['/streams/order.1/state?version=1&at=2026-01-01', 'at'],
    ['/categories/Order/events', 'streamId'],
    ['/categories/order/events?partition=x', 'partition'],
    ['/categories/order/events?offset=3', 'offset'],
    ['/categories/order/events?offset=3&partition=0&cursor=4', 'offset'],
    ['/categories/order/subscribe?cursor=x', undefined],
  ])('GET %s', async (wrong, where) => {
    const { api, call } = await callableWriter()
    await api.append('order.1' as StreamId, [event])
    const answer = await call('GET', wrong)
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request', retry: 'never' } })
    if (where !== undefined) expect(answer.body['path']).toBe(where)
  })

  test.each([
    ['GET', '/streams/order.9', 'stream-not-found'],
    ['GET', '/streams/order.9/state', 'stream-not-found'],
    ['GET', '/streams/order.9/state?version=0', 'stream-not-found'],
    ['GET', '/categories/nothing/events', 'category-not-found'],
    ['GET', '/categories/nothing/subscribe', 'category-not-found'],
    ['GET', '/stream/order.1', 'route-not-found'],
    ['POST', '/owners', 'route-not-found'],
  ] as const)('%s %s is not found: %s', async (method, wrong, code) => {
    const { call } = await callableWriter()
    expect(await call(method, wrong)).toMatchObject({ status: 404, body: { code } })
  })
})
