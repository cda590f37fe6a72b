import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { StackError } from '../stack/index.ts'
import type { StackState } from './state.ts'

const statusMsMax = 10_000
const stopMsMax = 60_000

/** The answer of a supervisor to a status request. */
export interface Status {
  /** Names of the parts that are not healthy. */
  readonly unhealthy: readonly string[]
}

/** The supervisor's side of the control channel. */
export interface Control {
  readonly port: number
  readonly token: string
  close(): void
}

interface ControlHandlers {
  readonly status: () => Promise<Status>
  /** Resolves when every server has ended. */
  readonly stop: () => Promise<void>
}

/**
 * Lets other processes of the same user request the status of the supervisor, or tell it to stop: HTTP on 127.0.0.1,
 * with a token.
 */
export async function openControl(handlers: ControlHandlers): Promise<Control> {
  const token = randomBytes(16).toString('hex')
  const server = createServer((request, response) => {
    const handler = request.headers.authorization === token && handlerOf(handlers, request.url)
    if (!handler) {
      response.writeHead(404).end()
      return
    }
    void handler().then((answer) => response.end(JSON.stringify(answer ?? {})))
  })
  const port = await listen(server)
  const close = () => {
    server.close()
    server.closeIdleConnections()
  }
  return { port, token, close }
}

function handlerOf(handlers: ControlHandlers, url: string | undefined): (() => Promise<unknown>) | undefined {
  if (url === '/status') return handlers.status
  return url === '/stop' ? handlers.stop : undefined
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/**
 * The status of the supervisor of this state, or undefined if it no longer runs, even if its pid or port is in use by
 * another process.
 */
export function askStatus(state: StackState): Promise<Status | undefined> {
  return call<Status>(state, '/status', statusMsMax)
}

/** Makes the supervisor of this state stop everything and waits until it has; undefined if it no longer runs. */
export function askToStop(state: StackState): Promise<object | undefined> {
  return call<object>(state, '/stop', stopMsMax)
}

async function call<T>({ controlPort, token, supervisorPid }: StackState, path: string, timeoutMs: number) {
  try {
    const response = await fetch(`http://127.0.0.1:${controlPort}${path}`, {
      headers: { authorization: token, connection: 'close' },
      signal: AbortSignal.timeout(timeoutMs),
    })
    return response.ok ? ((await response.json()) as T) : undefined
  } catch (error) {
    if ((error as Error).name !== 'TimeoutError') return undefined
    throw new StackError(
      `The supervisor (pid ${supervisorPid}) did not answer within ${timeoutMs / 1000} s. kill -9 ${supervisorPid} ends it and its servers.`,
    )
  }
}
