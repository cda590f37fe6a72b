import { describe, expect, test } from 'vitest'

import type { StreamId } from '#domain'

import { testWriter } from '../../support/services/closing.ts'
import { callableWriter, readSome } from '../../support/http/http-call.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'

const event = { type: 'OrderPlaced', data: { customerId: 'c-7' } }

describe('live events over HTTP', () => {
  test('come as server-sent events with their cursor, and resume from Last-Event-ID', async () => {
    const { api, url } = await callableWriter()
    await api.append('order.1' as StreamId, [event, event])
    const response = await fetch(`${url}/categories/order/subscribe?cursor=0`, {
      headers: { 'last-event-id': '1' },
    })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const text = await readSome(response, /\n\n$/)
    const frame = /id: 2\nevent: event\ndata: (.*)\n\n$/.test(text)
    expect(frame).toBe(true)
    expect(text).not.toContain('id: 1\n')
    expect(text).toContain('"position":"eventstore.order:0:1"')
  })

  test('end in the store when the client leaves', async () => {
    const { api, url } = await callableWriter()
    await api.append('order.1' as StreamId, [event])
    const real = api.followCategory.bind(api)
    let ended = false
    api.followCategory = async function* (type, query, signal) {
      yield* real(type, query, signal)
      ended = true
    }
    await readSome(await fetch(`${url}/categories/order/subscribe`), /data:/)
    await expect.poll(() => ended).toBe(true)
  })

  test('are not read ahead for a client that does not read', async () => {
    const { api, url } = await callableWriter()
    await api.append('order.1' as StreamId, [event])
    const [first] = (await api.store.read('order.1' as StreamId)).events
    let produced = 0
    api.followCategory = async function* (_type, _query, signal) {
      while (!signal.aborted && first !== undefined) {
        produced += 1
        yield await Promise.resolve({
          event: { ...first, data: 'x'.repeat(100_000) },
          cursor: String(produced),
        })
      }
    }
    const leaving = new AbortController()
    await fetch(`${url}/categories/order/subscribe`, { signal: leaving.signal })
    let before = -1
    await expect
      .poll(() => [produced === before, (before = produced)][0], { interval: 200, timeout: 10_000 })
      .toBe(true)
    expect(produced).toBeLessThan(500)
    leaving.abort()
  })

  test('accepts no limit: it has no pages', async () => {
    const { call } = await callableWriter()
    expect(await call('GET', '/categories/order/subscribe?limit=5')).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', path: 'limit' },
    })
  })

  test('and idle connections do not keep a server from closing', async () => {
    const api = new InMemoryWriter()
    await api.append('order.1' as StreamId, [event])
    const { app, url } = await testWriter(api)
    await fetch(`${url}/owners`).then((response) => response.text())
    const live = await fetch(`${url}/categories/order/subscribe`)
    const startMs = performance.now()
    const [text] = await Promise.all([readSome(live, /never/), app.close()])
    // A client closes an idle connection after four seconds.
    expect(performance.now() - startMs).toBeLessThan(3_500)
    expect(text).toContain('event: event')
    await expect(fetch(`${url}/owners`)).rejects.toThrow()
  })
})
