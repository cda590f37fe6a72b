import { connect, type Socket } from 'node:net'

/** `refused`: no process listens there. `unknown`: a time-out, an unreachable host, or any other failure. */
export type PortState = 'open' | 'refused' | 'unknown'

const probeMsMax = 500

/**
 * Connects to the port of a URL and closes the connection at once. Nothing is sent. Never rejects.
 * @param url `http:` or `https:`
 */
export function probePort(url: string): Promise<PortState> {
  const { promise, resolve } = Promise.withResolvers<PortState>()
  const { hostname, port, protocol } = new URL(url)
  const socket = connect({
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  })
  const timer = setTimeout(() => resolve('unknown'), probeMsMax)
  socket.once('connect', () => resolve('open'))
  socket.once('error', (error) => resolve(isRefused(error) ? 'refused' : 'unknown'))
  return promise.finally(() => end(socket, timer))
}

function end(socket: Socket, timer: NodeJS.Timeout): void {
  clearTimeout(timer)
  // A late error must not be unhandled.
  socket.on('error', () => undefined)
  socket.destroy()
}

/** Whether every address of the host has refused. */
const isRefused = (error: Error): boolean =>
  error instanceof AggregateError
    ? error.errors.every((one) => one instanceof Error && isRefused(one))
    : 'code' in error && error.code === 'ECONNREFUSED'
