import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** A correct server: returns the answer to a chunk of a client's bytes. Each connection has its own. */
export type Conversation = (bytes: Buffer) => Buffer

/** How a server fails. `right` is the correct answer. */
export interface Failure {
  readonly name: string
  readonly fail: (socket: Socket, right: Buffer) => void
}

/** A server that fails at one step of its protocol, in one way, on every connection. */
export interface FailingCase {
  readonly name: string
  /** Index of the failing answer on a connection, from 0. */
  readonly step: number
  readonly failure: Failure
  readonly converse: () => Conversation
}

export interface FailingServers {
  /** Ports by the case's name. */
  readonly ports: ReadonlyMap<string, number>
  close(): void
}

const garbage = Buffer.from(Array.from({ length: 64 }, (_, at) => (at * 167 + 13) % 256))

/** Failures of a server of any protocol. */
export const failures: readonly Failure[] = [
  { name: 'closes', fail: (socket) => socket.end() },
  { name: 'resets', fail: (socket) => socket.resetAndDestroy() },
  { name: 'sends garbage', fail: (socket) => socket.write(garbage) },
  { name: 'sends garbage and closes', fail: (socket) => socket.end(garbage) },
  {
    name: 'breaks off in mid-answer',
    fail: (socket, right) => socket.end(right.subarray(0, right.length / 2)),
  },
  {
    name: 'resets after its answer',
    fail: (socket, right) => socket.write(right, () => socket.resetAndDestroy()),
  },
  { name: 'answers twice', fail: (socket, right) => socket.write(Buffer.concat([right, right])) },
  {
    name: 'answers, then sends garbage',
    fail: (socket, right) => socket.write(Buffer.concat([right, garbage])),
  },
  {
    name: 'flips bits',
    fail: (socket, right) => socket.write(right.map((byte, at) => (at % 7 === 3 ? byte ^ 0x81 : byte))),
  },
  {
    name: 'claims huge lengths',
    fail: (socket, right) => socket.write(right.map((byte, at) => (at > 0 && at < 5 ? 0x7f : byte))),
  },
  {
    name: 'claims negative lengths',
    fail: (socket, right) => socket.write(right.map((byte, at) => (at > 0 && at < 5 ? 0xff : byte))),
  },
  { name: 'sends nothing', fail: () => undefined },
]

/** Each failure at each of the first steps. */
export const casesOf = (
  what: string,
  steps: number,
  converse: () => Conversation,
  more: readonly Failure[] = [],
): readonly FailingCase[] =>
  Array.from({ length: steps }, (_, step) =>
    [...failures, ...more].map((failure) => ({
      name: `${what} ${failure.name} at step ${step}`,
      step,
      failure,
      converse,
    })),
  ).flat()

/** Starts a server for each case. */
export async function failingServers(cases: readonly FailingCase[]): Promise<FailingServers> {
  const sockets = new Set<Socket>()
  const servers = cases.map(({ step, failure, converse }) =>
    createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      const answer = converse()
      let answers = 0
      socket.on('data', (bytes) => {
        const right = answer(bytes)
        if (right.length === 0) return
        if (answers++ === step) failure.fail(socket, right)
        else socket.write(right)
      })
    }),
  )
  return startServers(servers, cases, sockets)
}

/**
 * Makes servers listen on free loopback ports.
 * @param cases in the order of the servers.
 * @param sockets their open connections, which `close` destroys.
 */
export async function startServers(
  servers: readonly Server[],
  cases: readonly { readonly name: string }[],
  sockets: ReadonlySet<Socket>,
): Promise<FailingServers> {
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))))
  return {
    ports: new Map(
      servers.map((server, at) => [cases[at]?.name ?? '', (server.address() as AddressInfo).port]),
    ),
    close: () => {
      for (const socket of sockets) socket.destroy()
      for (const server of servers) server.close()
    },
  }
}
