import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { promisify } from 'node:util'

import { afterEach, expect, test } from 'vitest'

import { boundConnections, type ConnectionLimits } from './connection-bounds.ts'

const open: (Socket | Server)[] = []
afterEach(() => {
  for (const each of open.splice(0)) {
    if ('destroy' in each) each.destroy()
    else each.close().closeAllConnections()
  }
})

/** Starts a server that counts its requests. By default it would exempt all addresses of this machine. */
async function server(limits: ConnectionLimits, isExempt?: () => boolean) {
  let requests = 0
  const http = createServer((_, response) => {
    requests++
    response.end('ok')
  })
  boundConnections(http, limits, isExempt)
  open.push(http.listen(0, '127.0.0.1'))
  await once(http, 'listening')
  return {
    port: (http.address() as AddressInfo).port,
    requests: () => requests,
    connections: promisify(http.getConnections.bind(http)),
  }
}

/** Opens a connection from an address of this machine and holds it. */
async function hold(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => undefined)
  open.push(socket)
  await once(socket, 'connect')
  return socket
}

/** The answer to a request on a new connection. */
async function ask(port: number, localAddress = '127.0.0.1') {
  const request = get({ port, host: '127.0.0.1', localAddress, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const text = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).toString()
  return {
    status: response.statusCode,
    type: response.headers['content-type'],
    headers: response.headers,
    text,
  }
}

test('too many connections of one address: 429 for the next, none of its requests is processed, others are served', async () => {
  const { port, requests } = await server({ connectionsMax: 100, connectionsPerAddressMax: 2 }, () => false)
  const [first] = await Promise.all([hold(port), hold(port)])
  const refused = await ask(port)
  expect(refused).toMatchObject({ status: 429, type: 'application/problem+json' })
  expect(refused.headers['retry-after']).toBe('1')
  expect(JSON.parse(refused.text)).toMatchObject({
    status: 429,
    code: 'too-many-connections',
    retry: 'same-ids',
  })
  expect(requests()).toBe(0)
  expect(await ask(port, '127.0.0.2')).toMatchObject({ status: 200 })
  first.destroy()
  await expect.poll(async () => (await ask(port)).status).toBe(200)
})

test('too many connections altogether: 503 until one of them ends', async () => {
  const { port, requests } = await server({ connectionsMax: 3, connectionsPerAddressMax: 3 })
  const held = [await hold(port, '127.0.0.2'), await hold(port, '127.0.0.3'), await hold(port, '127.0.0.4')]
  const refused = await ask(port)
  expect(JSON.parse(refused.text)).toMatchObject({ status: 503, code: 'server-full' })
  expect(requests()).toBe(0)
  held[0]?.destroy()
  await expect.poll(async () => (await ask(port)).status).toBe(200)
})

test('addresses of this machine have no limit of their own', async () => {
  const { port } = await server({ connectionsMax: 100, connectionsPerAddressMax: 1 })
  await Promise.all(Array.from({ length: 20 }, () => hold(port)))
  expect(await ask(port)).toMatchObject({ status: 200 })
})

test('a client that does not read the rejection is disconnected after a second', async () => {
  const { port, connections } = await server({ connectionsMax: 1, connectionsPerAddressMax: 1 })
  const [, refused] = [await hold(port), await hold(port)]
  refused.write('POST / HTTP/1.1\r\n')
  await expect.poll(() => connections()).toBe(1)
})
