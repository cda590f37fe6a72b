import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { onTestFinished } from 'vitest'

/** A client that sends a request and does not read the answer until its socket is resumed. Closed after the test. @param path with its query */
export async function silentReader(url: string, path: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.pause()
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`)
  return socket
}
