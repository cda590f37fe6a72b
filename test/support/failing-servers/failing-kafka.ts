import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

import { replaceAdvertisedPort } from '../kafka/advertised-port.ts'
import { type FailingServers, type Failure, failures, startServers } from './failing-server.ts'

/** A broker that fails at the answer with this number, on every connection. */
interface KafkaCase {
  readonly name: string
  readonly step: number
  readonly failure: Failure
}

/** The frame's length, then the correlation id. */
const headBytes = 8

const withByte = (answer: Buffer, at: number, value: number): Buffer => {
  const changed = Buffer.from(answer)
  changed[at] = value
  return changed
}

const ofKafka: readonly Failure[] = [
  {
    name: 'answers with another correlation id',
    fail: (socket, right) => socket.write(withByte(right, 7, (right[7] ?? 0) ^ 0x55)),
  },
  {
    name: 'answers with nothing',
    fail: (socket, right) =>
      socket.write(Buffer.concat([Buffer.from([0, 0, 0, 4]), right.subarray(4, headBytes)])),
  },
  {
    name: 'answers with an empty frame',
    fail: (socket) => socket.write(Buffer.alloc(4)),
  },
  {
    name: 'answers with errors',
    fail: (socket, right) => socket.write(withByte(withByte(right, headBytes, 0x00), headBytes + 1, 0x0e)),
  },
  {
    name: 'answers with zeros',
    fail: (socket, right) =>
      socket.write(Buffer.concat([right.subarray(0, headBytes), Buffer.alloc(right.length - headBytes)])),
  },
]

/** Each failure at each of the first answers of a connection. */
export const kafkaCases = (steps: number): readonly KafkaCase[] =>
  Array.from({ length: steps }, (_, step) =>
    [...failures, ...ofKafka].map((failure) => ({
      name: `kafka ${failure.name} at step ${step}`,
      step,
      failure,
    })),
  ).flat()

/** Proxies to a real broker, one per case. Clients get its answers up to the failing one. @param broker `127.0.0.1:port` */
export async function failingKafka(broker: string, cases: readonly KafkaCase[]): Promise<FailingServers> {
  const brokerPort = Number(broker.split(':')[1])
  const sockets = new Set<Socket>()
  const servers = cases.map(({ step, failure }) => {
    const server: Server = createServer((client) => {
      const upstream = connect(brokerPort, '127.0.0.1')
      pair(sockets, client, upstream)
      client.pipe(upstream)
      let answers = 0
      eachFrame(upstream, (frame) => {
        const right = replaceAdvertisedPort(frame, brokerPort, (server.address() as AddressInfo).port)
        if (answers++ === step) failure.fail(client, right)
        else client.write(right)
      })
    })
    return server
  })
  return startServers(servers, cases, sockets)
}

function pair(sockets: Set<Socket>, ...both: readonly Socket[]): void {
  for (const socket of both) {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      for (const each of both) each.destroy()
    })
  }
}

function eachFrame(socket: Socket, take: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0)
      take(Buffer.from(rest.subarray(0, end)))
      rest = rest.subarray(end)
    }
  })
}
