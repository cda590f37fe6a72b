import type { Server } from 'node:http'
import { BlockList, isIPv6, type Socket } from 'node:net'

import { refuseOnSocket } from './broken-requests.ts'
import { refusalProblem } from './request-refusal.ts'
import { isTls } from './tls.ts'

export interface ConnectionLimits {
  /** For all clients together. */
  readonly connectionsMax: number
  /** For one remote address; loopback addresses are not counted. */
  readonly connectionsPerAddressMax: number
}

/** How long a rejected connection may take to read the reason. */
const refusedMsMax = 1_000
/** Rejected connections that are answered at a time. Further ones are closed without an answer. */
const refusedMax = 100

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

const isLoopback = (address: string): boolean => loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')

/**
 * Bounds how many connections a server holds, before a byte of them is read. Further ones get an answer and are
 * closed: 429 when one address has too many, 503 when the server has. With TLS they are closed without an answer: a
 * handshake would cost more than the request.
 * @param isExempt from the limit per address; default: loopback addresses, which may be a proxy
 */
export function boundConnections(
  server: Server,
  { connectionsMax, connectionsPerAddressMax }: ConnectionLimits,
  isExempt: (address: string) => boolean = isLoopback,
): void {
  const byAddress = new Map<string, number>()
  let connections = 0
  const problemFor = (address: string) => {
    if (connections >= connectionsMax) return serverFull(connectionsMax)
    const ofAddress = byAddress.get(address) ?? 0
    if (ofAddress < connectionsPerAddressMax || isExempt(address)) return undefined
    return tooMany(address, connectionsPerAddressMax)
  }
  const admit = (socket: Socket, address: string) => {
    connections++
    byAddress.set(address, (byAddress.get(address) ?? 0) + 1)
    socket.once('close', () => {
      connections--
      const left = (byAddress.get(address) ?? 1) - 1
      if (left === 0) byAddress.delete(address)
      else byAddress.set(address, left)
    })
  }
  const refuse = isTls(server) ? (socket: Socket) => socket.destroy() : refuser()
  // A rejected connection must not reach Node's parser: its requests would be processed, and the answers lost.
  const serving = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address = '' } = socket
    const problem = problemFor(address)
    if (problem !== undefined) {
      refuse(socket, problem)
      return
    }
    admit(socket, address)
    for (const serve of serving) serve.call(server, socket)
  })
}

function refuser() {
  let refused = 0
  return (socket: Socket, problem: ReturnType<typeof serverFull>) => {
    if (refused >= refusedMax) {
      socket.destroy()
      return
    }
    refused++
    const timer = setTimeout(() => socket.destroy(), refusedMsMax).unref()
    socket.once('close', () => {
      clearTimeout(timer)
      refused--
    })
    socket.on('error', () => socket.destroy())
    // Incoming bytes are read and discarded: closing with unread bytes would reset the connection and lose the answer.
    socket.resume()
    refuseOnSocket(socket, problem)
  }
}

const serverFull = (max: number) =>
  refusalProblem('server-full', `this server has its maximum of ${max} connections: try again in a second`)

const tooMany = (address: string, max: number) =>
  refusalProblem(
    'too-many-connections',
    `${address} has the maximum of ${max} connections per address: reuse them, or close some`,
  )
