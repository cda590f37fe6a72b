import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'

import { expect, test } from 'vitest'

import type { RecordedEvent, StreamId } from '#domain'

import { testWriter } from '../../support/services/closing.ts'
import { callerOf, readSome } from '../../support/http/http-call.ts'
import type { HttpWriterOptions } from '../../support/http/http-writer.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'
import { silentReader } from '../../support/http/silent-reader.ts'

const eventBytes = 100_000

/** A writer whose category has an endless number of large events. */
async function endlessWriter(options: Pick<HttpWriterOptions, 'subscribersMax' | 'unread'>) {
  const api = new InMemoryWriter()
  await api.append('order.1' as StreamId, [{ type: 'OrderPlaced', data: {} }])
  const [event] = (await api.store.read('order.1' as StreamId)).events
  api.followCategory = async function* (_type, _query, signal) {
    for (let n = 1; !signal.aborted; n++) {
      await pause(1)
      // Not the same object: the frame of an object is built only once.
      const large = { ...(event as RecordedEvent), data: 'x'.repeat(eventBytes) }
      yield { event: large, cursor: String(n) }
    }
  }
  const { app, url } = await testWriter(api, options)
  const metric = async (name: string) => {
    const text = await fetch(`${url}/metrics`).then((response) => response.text())
    const line = text
      .split('\n')
      .find((each) => each.startsWith(`annals_http_${name}`) && !each.startsWith('#'))
    return Number(line?.split(' ').at(-1))
  }
  return { app, url, metric, api }
}

const path = '/categories/order/subscribe'

test('beyond the bound subscriptions are rejected at once; when one ends, another is accepted', async () => {
  const { url, metric } = await endlessWriter({ subscribersMax: 2 })
  const leaving = new AbortController()
  const first = await fetch(url + path, { signal: leaving.signal })
  await fetch(url + path)
  const call = callerOf(url)
  const refused = await call('GET', path)
  expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded', retryAfterSeconds: 5 } })
  expect(refused.headers.get('retry-after')).toBe('5')
  expect(refused.body['detail']).toContain('ANNALS_SUBSCRIBERS_MAX')
  expect(await metric('subscribers_refused_total')).toBe(1)
  expect(first.status).toBe(200)
  leaving.abort()
  await expect.poll(() => metric('subscribers')).toBe(1)
  const next = await fetch(url + path)
  expect(next.status).toBe(200)
  await next.body?.cancel()
})

test('a subscription that reads nothing is ended after a while and counted; one that reads continues', async () => {
  const { url, metric } = await endlessWriter({ unread: { stalledMsMax: 300 } })
  const silent = await silentReader(url, path)
  const reading = await fetch(url + path)
  const text = readSome(reading, /id: 60\n/)
  await expect.poll(() => metric(ended('stalled'))).toBe(1)
  expect(await text).toContain('id: 60\n')
  await expect.poll(() => metric('unread_bytes')).toBe(0)
  expect(await metric(ended('bytes'))).toBe(0)
  // Its connection ends after it has read what the kernel has buffered.
  silent.resume()
  await once(silent, 'close')
})

test('a server closes although a subscriber reads nothing', async () => {
  const { app, url, metric } = await endlessWriter({})
  await silentReader(url, path)
  // The kernel buffers some megabytes; after that the same amount waits at each check.
  let last = 0
  const stands = async () => {
    const before = last
    last = await metric('unread_bytes')
    return last > 0 && last === before
  }
  await expect.poll(stands, { timeout: 20_000, interval: 300 }).toBe(true)
  expect(await msOf(() => app.close())).toBeLessThan(5_000)
})

test('data for slow readers is bounded in total: the longest waiting one is ended', async () => {
  const bytesMax = 500_000
  const { url, metric } = await endlessWriter({ unread: { bytesMax } })
  // The kernel buffers some megabytes for each; the rest waits in the process.
  for (let n = 0; n < 8; n++) await silentReader(url, path)
  let most = 0
  const look = async () => {
    most = Math.max(most, await metric('unread_bytes'))
    return metric(ended('bytes'))
  }
  await expect.poll(look, { timeout: 20_000 }).toBeGreaterThan(0)
  await expect.poll(() => metric('subscribers')).toBeLessThan(8)
  expect(most).toBeLessThanOrEqual(bytesMax)
  expect(await metric(ended('stalled'))).toBe(0)
})

test('unread complete responses are bounded, too', async () => {
  const { url, metric, api } = await endlessWriter({ unread: { bytesMax: 3_000_000 } })
  const note = 'x'.repeat(10_000)
  const events = Array.from({ length: 500 }, () => ({ type: 'OrderPlaced', data: { note } }))
  await api.append('order.2' as StreamId, events)
  for (let n = 0; n < 3; n++) await silentReader(url, '/streams/order.2/events?limit=1000')
  await expect.poll(() => metric(ended('bytes', 'answer'))).toBe(3)
  expect(await metric('unread_bytes')).toBe(0)
  const read = await fetch(`${url}/streams/order.1/events`)
  expect(read.status).toBe(200)
})

const ended = (reason: string, what = 'subscription') =>
  `unread_ended_total{what="${what}",reason="${reason}"`

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}
