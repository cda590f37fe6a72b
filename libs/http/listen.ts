import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

import type { HttpServer } from './http-types.ts'

/** Where a server can be reached. */
export interface ListenAddress {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

/**
 * Sockets that listen at one address, each with a queue of new connections of its own. Node takes one connection from each in a turn
 * of its event loop: from a single one a busy server takes so few that new connections wait for many seconds.
 */
const socketsPerAddress = 16
/** SO_REUSEPORT shares connections out among sockets on Linux only. */
const reusePort = process.platform === 'linux'

/**
 * Listens until the server closes; at all addresses of the machine itself where the host is `localhost`.
 * @throws the system's error, e.g. EADDRINUSE where somebody else listens there
 */
export async function listen(app: HttpServer, { host, port }: ListenAddress): Promise<void> {
  const [first = host, ...others] = host === 'localhost' ? await addressesOf(host) : [host]
  await mustBeFree({ host: first, port })
  const options = { host: first, port, reusePort }
  await app.listen(options)
  const listening = { ...options, port: portOf(app) }
  const more = reusePort ? Array.from({ length: socketsPerAddress - 1 }, () => first) : []
  const doors = await Promise.all([...more, ...others].map((at) => openDoor(app, { ...listening, host: at })))
  app.closing.addEventListener('abort', () => {
    for (const door of doors) door?.close()
  })
}

const addressesOf = async (host: string): Promise<string[]> => [
  ...new Set((await lookup(host, { all: true })).map(({ address }) => address)),
]

const portOf = (app: HttpServer): number => {
  const address = app.server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** Two processes that share their port would each get some of the requests, and neither would be told. */
async function mustBeFree(address: ListenAddress): Promise<void> {
  if (address.port === 0) return
  const probe = createServer().listen(address)
  await once(probe, 'listening')
  probe.close()
  await once(probe, 'close')
}

/** Another socket whose connections the server serves as its own. @returns undefined where it cannot be had */
async function openDoor(
  app: HttpServer,
  options: ListenAddress & { readonly reusePort: boolean },
): Promise<Server | undefined> {
  // As Node's own HTTP server makes them.
  const door = createServer({ allowHalfOpen: true, noDelay: true })
  door.on('connection', (socket) => app.server.emit('connection', socket))
  try {
    await once(door.listen(options), 'listening')
  } catch (error) {
    app.log.debug({ err: error, ...options }, 'listens at one socket less')
    return undefined
  }
  door.on('error', (error) => app.log.warn({ err: error }, 'a connection could not be accepted'))
  return door
}
