import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import type { StreamId } from '#domain'

import { as, eventsBody, limitedWriter } from '../../support/http/limited-writer.ts'

describe('requests of a principal', () => {
  test('beyond its limit get 429 with Retry-After and the RateLimit headers; those of others pass', async () => {
    const { call, exhaust, rejected } = await limitedWriter({ defaults: { requestsPerSecond: 2 } })
    const first = await call('POST', '/streams/order.1/events', eventsBody(1), as('ada'))
    expect(first.status).toBe(201)
    expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=1')
    expect(first.headers.get('ratelimit')).toBe('"requests";r=1;t=1')
    exhaust('ada', 'requests', 200)
    const refused = await call('POST', '/streams/order.1/events', eventsBody(1), as('ada'))
    expect(refused).toMatchObject({
      status: 429,
      type: expect.stringContaining('application/problem+json') as unknown,
      body: { code: 'limit-exceeded', retry: 'same-ids' },
    })
    expect(refused.body['detail']).toContain('ada may use 2 requests a second')
    const retryAfter = refused.headers.get('retry-after')
    expect(Number(retryAfter)).toBeGreaterThan(50)
    expect(Number(retryAfter)).toBe(refused.body['retryAfterSeconds'])
    expect(refused.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=1')
    expect(refused.headers.get('ratelimit')).toBe(`"requests";r=0;t=${retryAfter}`)
    expect((await call('GET', '/streams/order.1/events', undefined, as('bob'))).status).toBe(200)
    expect(await rejected('requests')).toBe(1)
  })

  test('count when they are denied, and not at probes, pages, metrics and public routes', async () => {
    const { call, exhaust } = await limitedWriter({ defaults: { requestsPerSecond: 1 } })
    exhaust('guest', 'requests', 1)
    for (const path of ['/health/live', '/health/ready', '/metrics', '/docs/', '/openapi.json', '/nothing']) {
      const { status, headers } = await call('GET', path, undefined, as('guest'))
      expect([path, status]).not.toEqual([path, 429])
      expect(headers.get('ratelimit')).toBeNull()
    }
    const get = () => call('GET', '/streams/order.1/events', undefined, as('guest'))
    await expect.poll(async () => (await get()).status).toBe(403)
    exhaust('guest', 'requests', 100)
    expect(await get()).toMatchObject({ status: 429 })
  })

  test('that a peer forwards are not counted a second time', async () => {
    const { call } = await limitedWriter({ defaults: { requestsPerSecond: 1, eventsPerSecond: 1 } })
    for (let n = 0; n < 5; n++) {
      expect(await call('POST', '/streams/order.1/events', eventsBody(3), as('peer-writer'))).toMatchObject({
        status: 201,
      })
    }
  })

  test('of everybody together are limited where access control is off', async () => {
    const { call, exhaust } = await limitedWriter({
      defaults: { requestsPerSecond: 1 },
      guard: undefined as never,
    })
    expect((await call('GET', '/owners')).status).toBe(200)
    exhaust('anonymous', 'requests', 100)
    expect((await call('GET', '/owners')).body['detail']).toContain('anonymous may use 1 requests a second')
  })

  test('are not limited where neither a setting nor a role says so', async () => {
    const { call, exhaust } = await limitedWriter({
      roles: { bob: { rules: [], limits: { requestsPerSecond: 1 } } },
    })
    for (let n = 0; n < 5; n++) {
      const { status, headers } = await call('GET', '/owners', undefined, as('ada'))
      expect([status, headers.get('ratelimit'), headers.get('ratelimit-policy')]).toEqual([200, null, null])
    }
    exhaust('bob', 'requests', 100)
    expect((await call('GET', '/owners', undefined, as('bob'))).status).toBe(429)
  })
})

test('the limits of a role hold for its principals, and the settings for all others', async () => {
  const { call } = await limitedWriter({
    defaults: { requestsPerSecond: 7 },
    roles: { ada: { rules: [], limits: { requestsPerSecond: 100 } } },
  })
  const policyOf = async (name: string) =>
    (await call('GET', '/owners', undefined, as(name))).headers.get('ratelimit-policy')
  expect(await policyOf('ada')).toBe('"requests";q=100;w=1')
  expect(await policyOf('bob')).toBe('"requests";q=7;w=1')
})

describe('appended events', () => {
  // The clock of the buckets stands still: what a test has used stays used, however slow the machine is.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  test('are counted by the whole request: all pass or none', async () => {
    const { api, call } = await limitedWriter({ defaults: { eventsPerSecond: 5 } })
    const first = await call('POST', '/streams/order.1/events', eventsBody(3), as('ada'))
    expect(first.headers.get('ratelimit')).toBe('"events";r=2;t=1')
    const refused = await call('POST', '/streams/order.1/events', eventsBody(3), as('ada'))
    expect(refused).toMatchObject({ status: 429, body: { code: 'limit-exceeded' } })
    expect((await api.store.read('order.1' as StreamId)).events).toHaveLength(3)
    expect((await call('POST', '/streams/order.1/events', eventsBody(2), as('ada'))).status).toBe(201)
  })

  test('of all appends of a request are counted together', async () => {
    const { call, rejected } = await limitedWriter({ defaults: { eventsPerSecond: 5 } })
    const appends = ['order.1', 'order.2', 'order.3'].map((streamId) => ({ streamId, ...eventsBody(2) }))
    expect((await call('POST', '/appends', { appends: appends.slice(0, 2) }, as('ada'))).status).toBe(200)
    expect((await call('POST', '/appends', { appends: appends.slice(2) }, as('ada'))).status).toBe(429)
    expect(await rejected('events')).toBe(1)
  })

  test('an append larger than the limit passes when nothing was used before, and the next ones wait for it', async () => {
    const { call } = await limitedWriter({ defaults: { eventsPerSecond: 5 } })
    expect((await call('POST', '/streams/order.1/events', eventsBody(20), as('ada'))).status).toBe(201)
    const refused = await call('POST', '/streams/order.1/events', eventsBody(1), as('ada'))
    expect(refused).toMatchObject({ status: 429, body: { retryAfterSeconds: 4 } })
    expect(refused.headers.get('ratelimit')).toBe('"events";r=0;t=4')
  })

  test.each([[[]], [{ events: 'none' }], [{ appends: [null, { events: 7 }] }], [{ appends: {} }]])(
    'a body that is no append is rejected as such: %j',
    async (body) => {
      const { call } = await limitedWriter({ defaults: { eventsPerSecond: 5 } })
      for (const path of ['/streams/order.1/events', '/appends']) {
        const { status } = await call('POST', path, body, as('ada'))
        expect([200, 400]).toContain(status)
      }
    },
  )
})
