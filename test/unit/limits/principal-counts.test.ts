import { once } from 'node:events'
import { connect } from 'node:net'

import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { HttpServer } from '#http'

import { as, eventsBody, limitedWriter } from '../../support/http/limited-writer.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ada\r\n\r\n`

test('reads in progress are limited for each principal, and others pass', async () => {
  const { api, call, rejected } = await limitedWriter({ defaults: { reads: 2 } })
  await call('POST', '/streams/order.1/events', eventsBody(1), as('ada'))
  const release = Promise.withResolvers<undefined>()
  let running = 0
  const read = api.read.bind(api)
  api.read = async (...given) => {
    running++
    await release.promise
    return read(...given)
  }
  const path = '/streams/order.1/events'
  const slow = [1, 2].map(() => call('GET', path, undefined, as('ada')))
  await expect.poll(() => running).toBe(2)
  const refused = await call('GET', path, undefined, as('ada'))
  expect(refused).toMatchObject({ status: 429, body: { code: 'limit-exceeded', retryAfterSeconds: 1 } })
  expect(refused.body['detail']).toContain('ada has 2 of at most 2 reads in progress')
  expect(refused.headers.get('ratelimit-policy')).toBe('"reads";q=2;qu="concurrent-requests"')
  expect(refused.headers.get('ratelimit')).toBe('"reads";r=0')
  expect((await call('POST', path, eventsBody(1), as('ada'))).status).toBe(201)
  const other = call('GET', path, undefined, as('bob'))
  release.resolve(undefined)
  expect((await Promise.all([...slow, other])).map(({ status }) => status)).toEqual([200, 200, 200])
  expect((await call('GET', path, undefined, as('ada'))).status).toBe(200)
  expect(await rejected('reads')).toBe(1)
})

test('live subscriptions are limited, and do not count as reads', async () => {
  const { url, call } = await limitedWriter({ defaults: { subscribers: 1, reads: 1 } })
  await call('POST', '/streams/order.1/events', eventsBody(1), as('ada'))
  const path = '/categories/order/subscribe'
  const leaving = new AbortController()
  const first = await fetch(url + path, { headers: as('ada'), signal: leaving.signal })
  expect(first.status).toBe(200)
  const refused = await call('GET', path, undefined, as('ada'))
  expect(refused).toMatchObject({ status: 429, body: { code: 'limit-exceeded', retryAfterSeconds: 5 } })
  expect((await call('GET', '/owners', undefined, as('ada'))).status).toBe(200)
  leaving.abort()
  await expect
    .poll(async () => {
      const next = await fetch(url + path, { headers: as('ada') })
      await next.body?.cancel()
      return next.status
    })
    .toBe(200)
})

/** Routes that answer, fail, throw and wait. */
function addRoutes(app: HttpServer): void {
  const config = { access: { actions: ['read'] as const } }
  app.get('/answer', { config }, () => ({}))
  app.get('/throw', { config }, () => {
    throw new Error('on purpose')
  })
  app.get('/fail', { config }, () => Promise.reject(new Error('on purpose')))
  app.get('/hang', { config }, () => new Promise(() => undefined))
  app.get(
    '/hook',
    { config, preHandler: (_request, _reply, done) => done(new Error('on purpose')) },
    () => ({}),
  )
  app.get('/hijack', { config }, (_request, reply) => void reply.hijack().raw.destroy())
}

test('nothing stays counted, however requests and their connections end', async () => {
  const readsMax = 1_000
  const { url, limits } = await limitedWriter({ defaults: { reads: readsMax }, prepare: addRoutes })
  const port = Number(new URL(url).port)
  const path = fc.constantFrom(
    '/answer',
    '/throw',
    '/fail',
    '/hang',
    '/hook',
    '/hijack',
    '/streams/order.1/events',
  )
  const connection = fc.record({
    paths: fc.array(path, { minLength: 1, maxLength: 5 }),
    closesAfterMs: fc.nat(20),
  })
  const send = async ({ paths, closesAfterMs }: { paths: readonly string[]; closesAfterMs: number }) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    await once(socket, 'connect')
    // All requests at once: those behind a hanging one are pending when the connection ends.
    socket.write(paths.map(get).join(''))
    setTimeout(() => socket.destroy(), closesAfterMs)
    await once(socket, 'close')
  }
  const left = () =>
    limits.of({ name: 'ada', kind: 'key', roles: ['ada'] })?.state(['reads'], 1) ?? 'no limits'
  await fc.assert(
    fc.asyncProperty(fc.array(connection, { minLength: 1, maxLength: 8 }), async (connections) => {
      await Promise.all(connections.map(send))
      await expect.poll(left, { interval: 5 }).toBe(`"reads";r=${readsMax}`)
    }),
    { numRuns: 40 },
  )
})

test('requests that wait for their body count as in progress, and no longer when the client leaves', async () => {
  const { url, limits } = await limitedWriter({ defaults: { eventsPerSecond: 10 } })
  const allowance = () => limits.of({ name: 'ada', kind: 'key', roles: ['ada'] })
  const first = allowance()
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  const head = 'POST /streams/order.1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ada\r\n'
  socket.write(`${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`)
  await expect.poll(() => first?.isAsNew).toBe(false)
  socket.destroy()
  await expect.poll(() => allowance()?.isAsNew).toBe(true)
})
