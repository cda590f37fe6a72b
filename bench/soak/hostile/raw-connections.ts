import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

import type { Tally } from './target.ts'

export interface RawConnections {
  readonly url: string
  /** Open connections at a time. One that ends is replaced. */
  readonly count: number
  /** Sent as soon as a connection is open. */
  readonly send: (n: number) => string | Buffer
  /** Whether responses are read (and discarded). */
  readonly reads: boolean
  /** Pause before a connection is opened again. */
  readonly restMs: number
}

/** Connections opened at a time, so that this process keeps up. */
const openedAtOnce = 50
const openingPauseMs = 50

/** Keeps raw connections open until the signal aborts. Counts the status of each response, and each end. */
export async function keepOpen(options: RawConnections, tally: Tally, signal: AbortSignal): Promise<void> {
  const loops: Promise<void>[] = []
  for (let n = 0; n < options.count && !signal.aborted; n++) {
    loops.push(keepOne(options, n, tally, signal))
    if (n % openedAtOnce === openedAtOnce - 1) await rest(openingPauseMs, signal)
  }
  await Promise.all(loops)
}

async function keepOne(options: RawConnections, n: number, tally: Tally, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await once(options, n, tally, signal)
    await rest(options.restMs, signal)
  }
}

/** Resolves when the connection is closed, by either side. */
function once(
  { url, send, reads }: RawConnections,
  n: number,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const { hostname, port } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const socket = connect({ host: hostname, port: Number(port) })
  const leave = (): void => void socket.destroy()
  signal.addEventListener('abort', leave, { once: true })
  socket.on('connect', () => socket.write(send(n)))
  socket.on('error', () => tally.count('connection error'))
  socket.on('close', () => {
    signal.removeEventListener('abort', leave)
    resolve(undefined)
  })
  if (reads) noteStatus(socket, tally)
  else socket.pause()
  return promise
}

function noteStatus(socket: Socket, tally: Tally): void {
  socket.once('data', (chunk: Buffer) => {
    const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1', 0, 16)) ?? []
    tally.count(status ?? 'no status')
  })
  socket.resume()
}

/** @returns immediately when the signal aborts */
export const rest = (ms: number, signal: AbortSignal): Promise<unknown> =>
  pause(ms, undefined, { signal }).catch(() => undefined)
