import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

import type { HttpServer } from './http-types.ts'
import { isTls } from './tls.ts'

/** The address of a server. */
interface ListenAddress {
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
}

/**
 * Sockets that listen at one address, each with its own queue of new connections. Node accepts one connection from
 * each per turn of its event loop. With a single socket a busy server accepts so few that new connections wait for
 * many seconds.
 */
const socketsPerAddress = 16
/** SO_REUSEPORT balances connections among sockets on Linux only. */
const reusePort = process.platform === 'linux'

/** Where a server listens. */
interface ListenOptions extends ListenAddress {
  /** Another port, for the routes of operators. */
  readonly operationsPort?: number
}

/**
 * Listens until the server closes; for the host `localhost`, at all loopback addresses.
 * @throws the system's error, e.g. EADDRINUSE when another process listens there
 */
export async function listen(app: HttpServer, { host, port, operationsPort }: ListenOptions): Promise<void> {
  const [first = host, ...others] = host === 'localhost' ? await addressesOf(host) : [host]
  await mustBeFree({ host: first, port })
  if (operationsPort !== undefined) await mustBeFree({ host: first, port: operationsPort })
  const options = { host: first, port, reusePort }
  await app.listen(options)
  const listening = { ...options, port: portOf(app) }
  const more = reusePort ? Array.from({ length: socketsPerAddress - 1 }, () => first) : []
  const places = [...more, ...others].map((at) => ({ ...listening, host: at }))
  if (operationsPort !== undefined) places.push({ ...options, port: operationsPort })
  const doors = await Promise.all(places.map((place) => openDoor(app, place)))
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

/** Two processes on a shared port would each get some of the requests, without noticing. */
async function mustBeFree(address: ListenAddress): Promise<void> {
  if (address.port === 0) return
  const probe = createServer().listen(address)
  await once(probe, 'listening')
  probe.close()
  await once(probe, 'close')
}

/** Opens another socket whose connections go to the server. @returns undefined if that fails */
async function openDoor(
  app: HttpServer,
  options: ListenAddress & { readonly reusePort: boolean },
): Promise<Server | undefined> {
  // With the options of Node's own servers.
  const door = createServer({ allowHalfOpen: !isTls(app.server), noDelay: true })
  door.on('connection', (socket) => app.server.emit('connection', socket))
  try {
    await once(door.listen(options), 'listening')
  } catch (error) {
    app.log.debug({ err: error, ...options }, 'listening with one socket fewer')
    return undefined
  }
  door.on('error', (error) => app.log.warn({ err: error }, 'a connection could not be accepted'))
  return door
}
