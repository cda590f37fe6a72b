import { request } from 'node:http'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { StreamId } from '#domain'

import { as, eventsBody, limitedWriter } from '../../support/http/limited-writer.ts'

// The clock of the buckets stands still: what a test has used stays used, however slow the machine is.
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

interface Sent {
  readonly status: number
  readonly body: Record<string, unknown>
}

const path = '/streams/order.1/events'

/** Sends a body in chunks, without its length. */
function sendChunks(url: string, chunks: readonly string[]): Promise<Sent> {
  const { promise, resolve, reject } = Promise.withResolvers<Sent>()
  const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked', ...as('ada') }
  const sending = request(url + path, { method: 'POST', headers }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => (text += part))
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Sent['body'] }),
    )
  })
  sending.on('error', reject)
  for (const chunk of chunks) sending.write(chunk)
  sending.end()
  return promise
}

/** The body of an append with so many bytes. */
function bodyOf(bytes: number): string {
  const json = (padding: string) => JSON.stringify({ events: [{ type: 'OrderPlaced', data: { padding } }] })
  return json('x'.repeat(bytes - json('').length))
}

const inChunks = (text: string, size: number): string[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, n) => text.slice(n * size, (n + 1) * size))

test('a body beyond the limit is rejected before it is sent', async () => {
  const { url, call, rejected } = await limitedWriter({ defaults: { bytesPerSecond: 10_000 } })
  const first = await call('POST', path, bodyOf(6_000), as('ada'))
  expect(first.status).toBe(201)
  expect(Number(/^"bytes";r=(\d+);t=1$/.exec(first.headers.get('ratelimit') ?? '')?.[1])).toBeLessThan(10_000)
  const headers = { 'content-type': 'application/json', 'content-length': '9000', ...as('ada') }
  const { promise, resolve } = Promise.withResolvers<number>()
  const sending = request(url + path, { method: 'POST', headers }, ({ statusCode = 0 }) =>
    resolve(statusCode),
  )
  sending.on('error', () => undefined)
  sending.flushHeaders()
  expect(await promise).toBe(429)
  sending.destroy()
  expect(await rejected('bytes')).toBe(1)
})

test('bytes of appends that are rejected for their events are given back', async () => {
  const { call } = await limitedWriter({ defaults: { bytesPerSecond: 100_000, eventsPerSecond: 1 } })
  await call('POST', path, eventsBody(1), as('ada'))
  for (let n = 0; n < 20; n++) {
    const refused = await call(
      'POST',
      path,
      { events: [...eventsBody(2).events, 'x'.repeat(20_000)] },
      as('ada'),
    )
    expect(refused.body['detail']).toContain('appended events')
  }
})

test('a body without a length is counted as it arrives, and abandoned at the limit', async () => {
  const { url, api, call, rejected } = await limitedWriter({ defaults: { bytesPerSecond: 50_000 } })
  expect((await sendChunks(url, inChunks(bodyOf(20_000), 5_000))).status).toBe(201)
  const refused = await sendChunks(url, inChunks(bodyOf(45_000), 5_000))
  expect(refused).toMatchObject({ status: 429, body: { code: 'limit-exceeded' } })
  expect(refused.body['detail']).toContain('50000 bytes of appended bodies a second')
  expect((await api.store.read('order.1' as StreamId)).events).toHaveLength(1)
  expect(await rejected('bytes')).toBe(1)
  // The bytes of the abandoned body do not count, so a small one passes.
  expect((await call('POST', path, bodyOf(20_000), as('ada'))).status).toBe(201)
})

test('a body larger than the limit passes with a full bucket, with and without its length', async () => {
  for (const send of [
    (url: string) => sendChunks(url, inChunks(bodyOf(30_000), 7_000)),
    async (url: string) => {
      const headers = { 'content-type': 'application/json', ...as('ada') }
      return (await fetch(url + path, { method: 'POST', body: bodyOf(30_000), headers })) as unknown as Sent
    },
  ]) {
    const { url, call } = await limitedWriter({ defaults: { bytesPerSecond: 10_000 } })
    expect((await send(url)).status).toBe(201)
    const next = await call('POST', path, bodyOf(100), as('ada'))
    expect(next).toMatchObject({ status: 429 })
    expect(Number(next.headers.get('retry-after'))).toBeGreaterThanOrEqual(2)
  }
})

test('a body beyond the bound of the server gets 413 and counts nothing', async () => {
  const { call } = await limitedWriter({ defaults: { bytesPerSecond: 1_000 }, bodyLimitBytes: 5_000 })
  expect((await call('POST', path, bodyOf(6_000), as('ada'))).status).toBe(413)
  expect((await call('POST', path, bodyOf(900), as('ada'))).status).toBe(201)
})
