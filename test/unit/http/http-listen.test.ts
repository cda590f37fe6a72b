import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

import { expect, onTestFinished, test } from 'vitest'

import { listen } from '#http'

import { bareServer } from '../../support/http/bare-server.ts'

async function listening(host: string, port = 0, connectionsMax?: number) {
  const app = await bareServer(connectionsMax === undefined ? {} : { connectionsMax })
  await listen(app, { host, port })
  return { app, port: portOf(app.server) }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

function dial(host: string, port: number): Socket {
  const socket = connect({ host, port })
  socket.on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  return socket
}

test('a service cannot share its port with another service or program', async () => {
  const { port } = await listening('127.0.0.1')
  await expect(listening('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  const other = createServer().listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => void other.close())
  await once(other, 'listening')
  await expect(listening('127.0.0.1', portOf(other))).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test.runIf(process.platform === 'linux')(
  'accepts several new connections in one turn of the event loop',
  async () => {
    const { app, port } = await listening('127.0.0.1')
    const count = 128
    let [taken, turns] = [0, 0]
    app.server.on('connection', () => taken++)
    const sockets = Array.from({ length: count }, () => dial('127.0.0.1', port))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    while (taken < count && turns < 10_000) {
      turns++
      await new Promise(setImmediate)
    }
    // A single socket would need about as many turns as there are connections.
    expect(taken).toBe(count)
    expect(turns).toBeLessThan(count / 4)
  },
)

test('localhost serves both loopback addresses within the same bounds', async () => {
  const { port } = await listening('localhost', 0, 1)
  const hosts = await reachable(['127.0.0.1', '::1'], port)
  expect(hosts).toContain('127.0.0.1')
  const held = dial('127.0.0.1', port)
  await once(held, 'connect')
  for (const host of hosts) expect(await answerOf(host, port)).toMatch(/^HTTP\/1\.1 503 .*server-full/s)
})

test('after close nothing listens', async () => {
  const { app, port } = await listening('127.0.0.1')
  expect(await answerOf('127.0.0.1', port)).toContain('HTTP/1.1 200')
  await app.close()
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      const socket = connect({ host: '127.0.0.1', port })
      const [error] = (await once(socket, 'error')) as [Error]
      expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    }),
  )
})

/** The addresses that accept a connection. A machine may have no IPv6. */
async function reachable(hosts: readonly string[], port: number): Promise<string[]> {
  const found: string[] = []
  for (const host of hosts) {
    const socket = dial(host, port)
    await new Promise<void>((resolve) => {
      socket.once('connect', () => {
        found.push(host)
        socket.destroy()
      })
      socket.once('close', () => resolve())
    })
  }
  return found
}

async function answerOf(host: string, port: number): Promise<string> {
  const socket = dial(host, port)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.write(`GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
  await once(socket, 'close')
  return text
}
