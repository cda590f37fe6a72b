import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { expect, onTestFinished, test } from 'vitest'

import type { StreamId } from '#domain'

import { readAnswer } from '../../fuzz/raw-http.ts'
import { testWriter } from '../../support/services/closing.ts'
import { callerOf } from '../../support/http/http-call.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'

const head = 'POST /streams/order.1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'

/** Connections that have started to send a body and then go silent. */
async function unfinished(url: string, count: number, sent = 9): Promise<Socket[]> {
  const { hostname, port } = new URL(url)
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(`${head}content-length: ${2 * sent}\r\n\r\n{"events"${' '.repeat(sent - 9)}`)
      return socket
    }),
  )
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()))
  return sockets
}

async function answerOn(socket: Socket): Promise<{ status: number; body: string }> {
  return readAnswer(Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)))
}

test('unfinished bodies block no other requests and are ended with 408', async () => {
  const api = new InMemoryWriter()
  const { url } = await testWriter(api, { requestsMax: 5, requestTimeoutMs: 2_000 })
  const sockets = await unfinished(url, 600)
  const answers = Promise.all(sockets.map(answerOn))
  const call = callerOf(url)
  const event = { type: 'OrderPlaced', data: {} }
  const over = new AbortController()
  void answers.then(() => over.abort())
  let appended = 0
  while (!over.signal.aborted) {
    expect((await call('POST', '/streams/order.2/events', { events: [event] })).status).toBe(201)
    appended++
  }
  expect(appended).toBeGreaterThan(10)
  for (const { status, body } of await answers) {
    expect(status).toBe(408)
    expect(JSON.parse(body)).toMatchObject({ code: 'request-timeout' })
  }
  expect((await api.store.load('order.1' as StreamId)).version).toBe(0)
}, 60_000)

test('when bodies exceed the common bound, the oldest are ended, not those that arrive quickly', async () => {
  const bodyBytes = 200_000
  const { url } = await testWriter(new InMemoryWriter(), { bodiesBytesMax: 10 * bodyBytes })
  const sockets = await unfinished(url, 30, bodyBytes)
  const ended = await Promise.all(sockets.slice(0, 1).map(answerOn))
  expect(ended).toMatchObject([{ status: 503 }])
  expect(JSON.parse(ended[0]?.body ?? '')).toMatchObject({ code: 'too-many-bytes', retry: 'same-ids' })
  const call = callerOf(url)
  const append = (bytes: number) =>
    call('POST', '/streams/order.2/events', {
      events: [{ type: 'OrderPlaced', data: { text: 'x'.repeat(bytes) } }],
    })
  for (let index = 0; index < 30; index++) expect((await append(bodyBytes)).status).toBe(201)
  for (const socket of sockets) socket.destroy()
  // Ended bodies no longer count.
  await expect.poll(async () => (await append(900_000)).status).toBe(201)
}, 60_000)
