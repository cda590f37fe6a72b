import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'

import { expect, onTestFinished, test } from 'vitest'

import { busy } from '#bounds/testing'

import { bareServer } from '../../support/http/bare-server.ts'

const reads = 100
const readMs = 2

async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

const send = (socket: Socket, line: string): boolean =>
  socket.write(
    `${line} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n`,
  )

test('appends and probes do not wait behind a burst of reads, and every read is answered', async () => {
  const app = await bareServer()
  let begun = 0
  app.get('/read', { config: { access: 'public' } }, () => {
    begun++
    busy(readMs)
    return {}
  })
  app.post('/change', { config: { access: 'public' } }, () => ({ begun }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const sockets = await Promise.all(Array.from({ length: reads + 2 }, () => dial(port)))
  const [change, probe, ...readers] = sockets as [Socket, Socket, ...Socket[]]
  // The server has accepted all of them.
  await Promise.all(sockets.map((socket) => answered(socket, 'GET /health/live')))

  for (const socket of readers) send(socket, 'GET /read')
  const answers = readers.map((socket) => once(socket, 'data'))
  const urgent = [answered(change, 'POST /change'), answered(probe, 'GET /health/live')]
  // By now all requests wait in the kernel.
  busy(50)
  await Promise.all(urgent)
  expect(begun).toBeLessThan(reads / 2)
  await Promise.all(answers)
  expect(begun).toBe(reads)
})

function answered(socket: Socket, line: string): Promise<unknown> {
  const answer = once(socket, 'data')
  send(socket, line)
  return answer
}
