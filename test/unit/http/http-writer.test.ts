import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'

import { newEventId } from '#domain'
import { EventStoreError } from '#event-store'

import { callableWriter } from '../../support/http/http-call.ts'

const event = {
  type: 'OrderPlaced',
  data: { customerId: 'c-7', amount: '12.50', nested: [null, { deep: true }] },
}
const path = '/streams/order.1/events'

describe('an append over HTTP', () => {
  test('answers 201 with versions, position and ids', async () => {
    const { call } = await callableWriter()
    const id = newEventId()
    const { status, body } = await call('POST', path, { events: [{ ...event, id }, event] })
    expect(status).toBe(201)
    expect(body).toEqual({
      streamId: 'order.1',
      firstVersion: 1,
      lastVersion: 2,
      position: 'eventstore.order:0:1',
      eventIds: [id, expect.any(String)],
      duplicate: false,
    })
  })

  test('repeated with the same Idempotency-Key answers 200 with the first answer', async () => {
    const { call } = await callableWriter()
    const key = { 'idempotency-key': 'checkout-17' }
    const first = await call('POST', path, { events: [event, event] }, key)
    const again = await call('POST', path, { events: [event, event] }, key)
    const elsewhere = await call('POST', '/streams/order.2/events', { events: [event] }, key)
    expect(again.status).toBe(200)
    expect(again.body).toEqual({ ...first.body, duplicate: true })
    expect(elsewhere.status).toBe(201)
  })

  test('leaves any JSON data unchanged', async () => {
    const { call } = await callableWriter()
    const values = [event.data, 'text', 7.25, null, [], { 'ключ 🔑': '\u2028"\\' }]
    await call('POST', path, { events: values.map((data) => ({ type: 'A', data })) })
    const { body } = await call('GET', path)
    expect((body['events'] as { data: unknown }[]).map(({ data }) => data)).toEqual(values)
  })

  test.each(['utf-8', 'UTF-8', '"utf8"'])('may declare the charset %s', async (charset) => {
    const { call } = await callableWriter()
    const type = { 'content-type': `application/json;charset=${charset}` }
    expect(await call('POST', path, { events: [event] }, type)).toMatchObject({ status: 201 })
    expect(await call('POST', path, `\ufeff${JSON.stringify({ events: [event] })}`, type)).toMatchObject({
      status: 201,
    })
  })

  test.each([...Object.getOwnPropertyNames(Object.prototype), 'null', 'string', 'record', 'prototype'])(
    'accepts the name %s wherever a caller gives names',
    async (name) => {
      const { call } = await callableWriter()
      const streamId = `order.${name}`
      const data = name === '__proto__' ? {} : { [name]: { prototype: name } }
      const events = [{ type: name, data, metadata: { userId: name } }]
      const answer = await call('POST', `/streams/${streamId}/events`, { events })
      expect(answer).toMatchObject({ status: 201, body: { streamId } })
      const { body } = await call('GET', `/streams/${streamId}/events`)
      expect(body['events']).toMatchObject(events)
    },
  )

  test('to many streams answers each one separately', async () => {
    const { api, call } = await callableWriter()
    const { status, body } = await call('POST', '/appends', {
      appends: [
        { streamId: 'order.1', events: [event] },
        { streamId: 'order.1', events: [event], expectedVersion: 'no-stream' },
        { streamId: 'malformed', events: [event] },
        { streamId: 'order.1', events: [{ type: 7, data: {} }] },
        { streamId: 'order.1' },
        { streamId: 'order.2', events: [event], expectedVersion: 'latest' },
        'append',
        { streamId: 'order.2', events: [event], expectedVersion: 0 },
      ],
    })
    expect(status).toBe(200)
    expect(body['results']).toMatchObject([
      { status: 201, streamId: 'order.1', lastVersion: 1 },
      { status: 409, code: 'wrong-expected-version', retry: 'reload', expected: 'no-stream', actual: 1 },
      { status: 400, code: 'invalid-request', path: 'streamId' },
      { status: 400, code: 'invalid-request', path: 'events[0].type' },
      { status: 400, code: 'invalid-request', path: 'events' },
      { status: 400, code: 'invalid-request', path: 'expectedVersion' },
      { status: 400, code: 'invalid-request' },
      { status: 201, streamId: 'order.2', lastVersion: 1 },
    ])
    expect(api.requests.flat()).toHaveLength(5)
  })

  test('passes on whether another writer has forwarded it', async () => {
    const { api, call } = await callableWriter()
    const contexts: unknown[] = []
    const real = api.store.append.bind(api.store)
    api.append = (streamId, events, options, ...[context]: unknown[]) => {
      contexts.push(context)
      return real(streamId, events, options)
    }
    await call('POST', path, { events: [event] })
    await call('POST', path, { events: [event] }, { 'annals-forwarded': '1' })
    expect(contexts).toMatchObject([{ forwarded: false }, { forwarded: true }])
  })
})

describe('a writer that fails', () => {
  test('reveals only a request id', async () => {
    const { api, call } = await callableWriter()
    api.append = () => Promise.reject(new Error('password=hunter2'))
    api.appendMany = () => Promise.resolve([new EventStoreError('internal', 'password=hunter2')])
    const one = await call('POST', path, { events: [event] })
    const many = await call('POST', '/appends', { appends: [{ streamId: 'order.1', events: [event] }] })
    expect(one).toMatchObject({ status: 500, body: { code: 'internal', retry: 'never' } })
    expect(one.body['detail']).toMatch(/request id [0-9a-f-]{36}$/)
    expect(many.body['results']).toMatchObject([{ status: 500, code: 'internal' }])
    expect(JSON.stringify([one, many])).not.toContain('hunter2')
  })

  test.each([
    [undefined, '1'],
    [7, '7'],
  ])('temporarily sends Retry-After (%s)', async (retryAfterSeconds, header) => {
    const { api, call } = await callableWriter()
    const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
    api.append = () => Promise.reject(new EventStoreError('overloaded', 'the queue is full', details))
    const { status, headers } = await call('POST', path, { events: [event] })
    expect([status, headers.get('retry-after')]).toEqual([503, header])
  })
})

describe('reading over HTTP', () => {
  test('a stream, its events, and its state', async () => {
    const { call } = await callableWriter()
    await call('POST', path, {
      events: [event, { ...event, type: 'ItemAdded', metadata: { userId: 'ada', tenant: 'acme', tries: 2 } }],
    })
    expect((await call('GET', '/streams/order.1')).body).toMatchObject({
      version: 2,
      partition: 0,
      owner: 'http://127.0.0.1:7400',
    })
    expect((await call('GET', `${path}?direction=backwards&limit=1`)).body).toMatchObject({
      streamId: 'order.1',
      version: 2,
      next: 1,
      events: [
        {
          version: 2,
          type: 'ItemAdded',
          position: 'eventstore.order:0:1',
          metadata: { userId: 'ada', tenant: 'acme', tries: 2 },
        },
      ],
    })
    expect((await call('GET', '/streams/order.1/load')).body).toMatchObject({ version: 2, events: [{}, {}] })
    expect((await call('GET', '/streams/order.1/state?version=1')).body).toEqual({
      streamId: 'order.1',
      version: 1,
      state: ['OrderPlaced'],
    })
    expect((await call('GET', '/streams/order.1/state?version=0')).body).toEqual({
      streamId: 'order.1',
      version: 0,
      state: [],
    })
    expect((await call('GET', '/streams/order.9/events')).body).toEqual({
      streamId: 'order.9',
      version: 0,
      events: [],
    })
  })

  test('a stream whose id needs escaping in a path', async () => {
    const { call } = await callableWriter()
    const id = encodeURIComponent('order.a/b?c#d%e·ü·🔑'.repeat(10))
    await call('POST', `/streams/${id}/events`, { events: [event] })
    expect((await call('GET', `/streams/${id}`)).body).toMatchObject({ version: 1 })
  })

  test('a category by event type and from an offset', async () => {
    const { call } = await callableWriter()
    await call('POST', path, { events: ['A', 'B', 'C', 'A'].map((type) => ({ type, data: null })) })
    const types = async (query: string) =>
      ((await call('GET', `/categories/order/events?${query}`)).body['events'] as { type: string }[]).map(
        ({ type }) => type,
      )
    expect(await types('')).toEqual(['A', 'B', 'C', 'A'])
    expect(await types('eventType=A')).toEqual(['A', 'A'])
    expect(await types('eventType=A&eventType=C')).toEqual(['A', 'C', 'A'])
    expect(await types('partition=0&offset=2')).toEqual(['C', 'A'])
  })
})

describe('every server has', () => {
  test('health, metrics and documentation', async () => {
    const { call } = await callableWriter()
    expect(await call('GET', '/health/live')).toMatchObject({ status: 200, body: { healthy: true } })
    expect(await call('GET', '/health/ready')).toMatchObject({
      status: 200,
      body: { checks: { service: { healthy: true } } },
    })
    await call('GET', '/streams/order.9')
    expect((await call('GET', '/metrics')).body['text']).toContain(
      'annals_http_request_seconds_count{service="test",method="GET",route="/streams/:id",status="404"} 1',
    )
    expect((await call('GET', '/docs')).type).toMatch(/html/)
  })

  test('an OpenAPI document that is valid and describes every route', async () => {
    const { call } = await callableWriter()
    const { body } = await call('GET', '/openapi.json')
    expect(await new Validator().validate(structuredClone(body))).toMatchObject({ valid: true })
    const paths = body['paths'] as Record<
      string,
      Record<string, { summary?: string; responses: Record<string, { description: string }> }>
    >
    expect(Object.keys(paths).toSorted()).toEqual([
      '/appends',
      '/categories/{type}/events',
      '/categories/{type}/subscribe',
      '/health/live',
      '/health/ready',
      '/metrics',
      '/owners',
      '/streams/{id}',
      '/streams/{id}/events',
      '/streams/{id}/load',
      '/streams/{id}/state',
    ])
    for (const operation of Object.values(paths).flatMap((path) => Object.values(path))) {
      expect(operation.summary).toMatch(/\w{3}/)
      for (const { description } of Object.values(operation.responses))
        expect(description).not.toMatch(/^(Default Response)?$/)
    }
  })
})
