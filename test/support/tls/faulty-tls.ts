import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'

import { onTestFinished } from 'vitest'

import type { Certified } from './certificates.ts'

/** How PostgreSQL's clients ask for TLS (`SSLRequest`), and the answer of a server that speaks it. */
const sslRequestBytes = 8
const speaksTls = 'S'

/**
 * A port of this machine that offers TLS with this certificate and never says more. It suffices for clients that must
 * reject the certificate.
 * @param asPostgres whether TLS begins as PostgreSQL does it
 */
export async function tlsPortWith(certified: Certified, asPostgres = false): Promise<number> {
  const secureContext = createSecureContext(certified)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    const encrypt = () =>
      new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined).resume()
    if (!asPostgres) encrypt()
    else
      socket.once('readable', () => {
        socket.read(sslRequestBytes)
        socket.write(speaksTls)
        encrypt()
      })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
