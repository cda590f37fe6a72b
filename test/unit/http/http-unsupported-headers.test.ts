import { gzipSync } from 'node:zlib'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { type AllRoutes, startAllRoutes } from '../../support/http/all-routes.ts'
import { callableWriter } from '../../support/http/http-call.ts'

let server: AllRoutes
beforeAll(async () => {
  server = await startAllRoutes()
})
afterAll(() => server.app.close())

interface Target {
  readonly method: string
  readonly url: string
}

const isRead = ({ method }: Target) => method === 'GET'

/** Every route of every service. */
const targets = (): readonly Target[] =>
  server.routes.flatMap(({ method, url }) =>
    [method].flat().flatMap((each) => (each === 'HEAD' || url.includes('*') ? [] : [{ method: each, url }])),
  )

async function codeOf({ method, url }: Target, headers: Record<string, string>) {
  const response = await fetch(server.url + url.replaceAll(/:\w+/g, 'order.1'), {
    method,
    headers: { ...(method !== 'GET' && { 'content-type': 'application/json' }), ...headers },
    ...(method === 'POST' && { body: '{}' }),
    signal: AbortSignal.timeout(5_000),
  })
  const { code, detail } = (await response.json()) as { code?: string; detail?: string }
  return { status: response.status, code, detail }
}

const precondition = { status: 400, code: 'precondition-not-supported' }
const encoding = { status: 415, code: 'content-encoding-not-supported' }

test.each(['If-Match', 'If-Unmodified-Since'])('%s is rejected on every route', async (name) => {
  expect(targets().length).toBeGreaterThan(20)
  for (const target of targets()) {
    const answer = await codeOf(target, { [name]: '"3"' })
    expect(answer, `${target.method} ${target.url}`).toMatchObject(precondition)
    expect(answer.detail).toContain(name)
  }
})

test('If-None-Match is rejected on every change', async () => {
  for (const target of targets().filter((each) => !isRead(each))) {
    const name = `${target.method} ${target.url}`
    expect(await codeOf(target, { 'if-none-match': '*' }), name).toMatchObject(precondition)
  }
})

test('headers that only save bytes of a read are ignored', async () => {
  const headers = { 'if-none-match': '"x"', 'if-modified-since': 'Sat, 31 Jan 2026 12:00:00 GMT' }
  const response = await fetch(`${server.url}/openapi.json`, { headers })
  expect(response.status).toBe(200)
  await response.body?.cancel()
})

test.each(['gzip', 'br', 'GZIP', 'gzip, identity'])(
  'a body encoded as %s is rejected on every change',
  async (name) => {
    for (const target of targets().filter((each) => !isRead(each))) {
      const answer = await codeOf(target, { 'content-encoding': name })
      expect(answer, `${target.method} ${target.url}`).toMatchObject(encoding)
      expect(answer.detail).toContain(name)
    }
  },
)

test('a gzip body is rejected by name; an identity body is accepted', async () => {
  const { api, url } = await callableWriter()
  const body = JSON.stringify({ events: [{ type: 'OrderPlaced', data: {} }] })
  const post = (sent: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
    fetch(`${url}/streams/order.1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: sent,
    })
  const refused = await post(new Uint8Array(gzipSync(body)), { 'content-encoding': 'gzip' })
  expect(refused.status).toBe(415)
  expect(await refused.json()).toMatchObject({
    code: 'content-encoding-not-supported',
    retry: 'never',
    detail: expect.stringContaining('gzip') as string,
  })
  await expect(api.info('order.1' as never)).rejects.toMatchObject({ code: 'stream-not-found' })
  expect((await post(body, { 'content-encoding': 'identity' })).status).toBe(201)
})

test('an append with If-Match appends nothing', async () => {
  const { api, call } = await callableWriter()
  const event = { events: [{ type: 'OrderPlaced', data: {} }] }
  const answer = await call('POST', '/streams/order.1/events', event, { 'if-match': '"0"' })
  expect(answer).toMatchObject({ status: 400, body: { code: 'precondition-not-supported' } })
  await expect(api.info('order.1' as never)).rejects.toMatchObject({ code: 'stream-not-found' })
})
