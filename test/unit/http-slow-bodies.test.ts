import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { expect, onTestFinished, test } from 'vitest'

import type { StreamId } from '#domain'

import { readAnswer } from '../fuzz/raw-http.ts'
import { testWriter } from '../support/closing.ts'
import { callerOf } from '../support/http-call.ts'
import { InMemoryWriter } from '../support/in-memory-writer.ts'

const head = 'POST /streams/order.1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'

/** Connections that have begun to send a body, and say no more. */
async function unfinished(url: string, count: number): Promise<Socket[]> {
  const { hostname, port } = new URL(url)
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(`${head}content-length: 100\r\n\r\n{"events"`)
      return socket
    }),
  )
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()))
  return sockets
}

async function answerOn(socket: Socket): Promise<{ status: number; body: string }> {
  return readAnswer(Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)))
}

test('bodies that do not come to their end take no place of others, and are ended with 408', async () => {
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
