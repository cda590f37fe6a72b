import { describe, expect, onTestFinished, test } from 'vitest'

import { bytesOf, sendBytes } from '../../fuzz/raw-http.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'
import { callerOf, readSome } from '../../support/http/http-call.ts'
import { startHttpWriter } from '../../support/http/http-writer.ts'
import { KnownCallers } from '../../support/http/known-callers.ts'

const rules = {
  ada: [{ actions: ['append', 'read', 'subscribe'] as const, on: ['order.*'] }],
  eu: [{ actions: ['append', 'read', 'subscribe'] as const, on: ['order.eu-*'] }],
  gateway: [
    { actions: ['append'] as const, on: ['order.*'] },
    { actions: ['annals:act-as'] as const, on: ['user:web-*'] },
  ],
  'peer-writer': [{ actions: ['append'] as const, on: ['*'] }],
  operator: [{ actions: ['operate'] as const, on: ['*'] }],
}

const as = (name: string) => ({ authorization: `Bearer ${name}` })
const event = (metadata?: object) => ({
  type: 'OrderPlaced',
  data: { customer: 'c-1' },
  ...(metadata && { metadata }),
})

async function guarded() {
  const guard = new KnownCallers(rules)
  const api = new InMemoryWriter()
  const { app, url } = await startHttpWriter(api, { guard })
  onTestFinished(() => app.close())
  return { guard, api, url, call: callerOf(url) }
}

describe('an append', () => {
  test('gets the name of its caller as userId', async () => {
    const { call } = await guarded()
    const placed = { events: [event(), event({ userId: 'ada' }), event({ tenant: 'acme' })] }
    expect((await call('POST', '/streams/order.1/events', placed, as('ada'))).status).toBe(201)
    const { body } = await call('GET', '/streams/order.1/events', undefined, as('ada'))
    const events = body['events'] as { metadata: Record<string, unknown> }[]
    expect(events.map(({ metadata }) => metadata['userId'])).toEqual(['ada', 'ada', 'ada'])
    expect(events[2]?.metadata['tenant']).toBe('acme')
  })

  test('in the name of another user needs the right to act as that user', async () => {
    const { guard, call } = await guarded()
    const post = (name: string, userId: string) =>
      call('POST', '/streams/order.2/events', { events: [event({ userId })] }, as(name))
    expect(await post('gateway', 'web-7')).toMatchObject({ status: 201 })
    expect(await post('gateway', 'ada')).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    expect(await post('ada', 'web-7')).toMatchObject({ status: 403 })
    expect(await post('peer-writer', 'ada')).toMatchObject({ status: 201 })
    expect(guard.denials.map(({ action, resource }) => [action, resource])).toEqual([
      ['annals:act-as', 'user:ada'],
      ['annals:act-as', 'user:web-7'],
    ])
  })

  test('to many streams is decided for each of them', async () => {
    const { guard, call } = await guarded()
    const appends = [
      { streamId: 'order.eu-1', events: [event()] },
      { streamId: 'order.us-1', events: [event()] },
      { streamId: 'order.eu-2', events: [event({ userId: 'ada' })] },
      { streamId: 'order.eu-3', events: [event()] },
      { streamId: 'nonsense', events: [event()] },
    ]
    const { status, body } = await call('POST', '/appends', { appends }, as('eu'))
    expect(status).toBe(200)
    const results = body['results'] as { status: number; code?: string; streamId?: string }[]
    expect(results.map((result) => [result.status, result.code])).toEqual([
      [201, undefined],
      [403, 'forbidden'],
      [403, 'forbidden'],
      [201, undefined],
      [403, 'forbidden'],
    ])
    expect(guard.denials.map(({ resource }) => resource)).toEqual(['order.us-1', 'user:ada', '.nonsense'])
  })
})

describe('a category', () => {
  test('shows only the streams that its caller may read', async () => {
    const { call } = await guarded()
    for (const id of ['eu-1', 'us-1', 'eu-2']) {
      await call('POST', `/streams/order.${id}/events`, { events: [event()] }, as('ada'))
    }
    const ids = async (name: string) => {
      const { body } = await call('GET', '/categories/order/events', undefined, as(name))
      return (body['events'] as { streamId: string }[]).map(({ streamId }) => streamId).toSorted()
    }
    expect(await ids('ada')).toEqual(['order.eu-1', 'order.eu-2', 'order.us-1'])
    expect(await ids('eu')).toEqual(['order.eu-1', 'order.eu-2'])
    expect(await call('GET', '/categories/customer/events', undefined, as('eu'))).toMatchObject({
      status: 403,
    })
  })

  test('subscription ends with a problem when the credential of its caller ends', async () => {
    const { guard, call, url } = await guarded()
    await call('POST', '/streams/order.us-9/events', { events: [event()] }, as('ada'))
    await call('POST', '/streams/order.eu-9/events', { events: [event()] }, as('ada'))
    const response = await fetch(`${url}/categories/order/subscribe`, { headers: as('eu') })
    const reading = readSome(response, /event: problem[^]*\n\n/)
    guard.ended.add('eu')
    const text = await reading
    expect(text).toContain('order.eu-9')
    expect(text).not.toContain('order.us-9')
    expect(text).toContain('"code":"unauthenticated"')
    expect(text).toContain('the key of eu was revoked')
  })
})

test('a second authorization header is seen, although Node.js drops it', async () => {
  const { guard, url } = await guarded()
  const seen: number[] = []
  const authenticate = guard.authenticate.bind(guard)
  guard.authenticate = (credentials) => {
    seen.push(credentials.authorization.length)
    return authenticate(credentials)
  }
  const headers = [
    ['host', new URL(url).host],
    ['Authorization', 'Bearer ada'],
    ['authorization', 'Bearer eu'],
    ['connection', 'close'],
  ] as const
  await sendBytes(
    url,
    bytesOf({ method: 'GET', target: '/owners', headers: [...headers], body: Buffer.alloc(0) }),
  )
  expect(seen).toEqual([2])
})

test('a caller that is authenticated asynchronously is let in and rejected alike', async () => {
  const { call } = await guarded()
  const slow = { authorization: 'Bearer slow ada' }
  await call('POST', '/streams/order.1/events', { events: [event()] }, slow)
  expect(await call('GET', '/categories/order/events', undefined, slow)).toMatchObject({ status: 200 })
  expect(await call('GET', '/categories/customer/events', undefined, slow)).toMatchObject({ status: 403 })
})

describe('health', () => {
  test('shows its checks to operators only, and metrics likewise', async () => {
    const { call } = await guarded()
    const checks = async (headers = {}) =>
      (await call('GET', '/health/ready', undefined, headers)).body['checks']
    expect(await checks(as('operator'))).toHaveProperty('service')
    expect(await checks(as('ada'))).toEqual({})
    expect(await checks()).toEqual({})
    expect((await call('GET', '/health/ready', undefined, as('stranger'))).status).toBe(401)
    expect((await call('GET', '/metrics', undefined, as('operator'))).status).toBe(200)
    expect((await call('GET', '/metrics', undefined, as('ada'))).status).toBe(403)
    expect((await call('GET', '/metrics')).status).toBe(401)
  })
})

test('a denial reports who was denied what, without the credential', async () => {
  const { guard, call } = await guarded()
  await call('GET', '/streams/customer.1?secret=x', undefined, as('ada'))
  await call('GET', '/streams/customer.1', undefined, as('wrong-token'))
  expect(guard.denials).toMatchObject([
    {
      code: 'forbidden',
      action: 'read',
      resource: 'customer.1',
      path: '/streams/customer.1',
      method: 'GET',
      remoteAddress: '127.0.0.1',
      caller: { principal: { name: 'ada' } },
    },
    { code: 'unauthenticated', reason: 'the credential is not valid' },
  ])
  expect(JSON.stringify(guard.denials)).not.toContain('wrong-token')
})
