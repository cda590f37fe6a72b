import type { Server } from 'node:http'
import { BlockList, isIPv6, type Socket } from 'node:net'

import { refuseOnSocket } from './broken-requests.ts'
import { refusalProblem } from './request-refusal.ts'

export interface ConnectionLimits {
  /** Of all callers together. */
  readonly connectionsMax: number
  /** Of one remote address; those of this machine are not counted. */
  readonly connectionsPerAddressMax: number
}

/** How long a refused connection may take to read why. */
const refusedMsMax = 1_000
/** Refused connections that are answered at a time; beyond them they are closed without a word. */
const refusedMax = 100

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

const isLoopback = (address: string): boolean => loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')

/**
 * Bounds how many connections a server holds, before a byte of them is read. Those beyond get an answer and are closed: 429 where
 * one address has too many, 503 where all have.
 * @param isExempt from the limit of each address; default: those of this machine, behind which there may be a proxy
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
  const refuse = refuser()
  // What is refused must not reach Node's parser: a request on it would be carried out, and its answer lost.
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
    // What it sends is read and thrown away: to close on unread bytes would take the answer back.
    socket.resume()
    refuseOnSocket(socket, problem)
  }
}

const serverFull = (max: number) =>
  refusalProblem(
    'server-full',
    `this server has ${max} connections, which is all it takes: try again in a second`,
  )

const tooMany = (address: string, max: number) =>
  refusalProblem(
    'too-many-connections',
    `${address} has ${max} connections, which is all that one address may have: use them again, or close some`,
  )
