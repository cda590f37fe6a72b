import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { StackError } from '../stack/index.ts'
import type { StackState } from './state.ts'

const statusMsMax = 10_000
const stopMsMax = 60_000

/** What a supervisor answers when asked how it is. */
export interface Status {
  /** Names of the parts that do not answer as they should. */
  readonly unhealthy: readonly string[]
}

/** The supervisor's side of the conversation. */
export interface Control {
  readonly port: number
  readonly token: string
  close(): void
}

export interface ControlHandlers {
  readonly status: () => Promise<Status>
  /** Resolves when every server is gone. */
  readonly stop: () => Promise<void>
}

/** Lets other processes of this person ask the supervisor for its status and to stop: HTTP on 127.0.0.1, with a token. */
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

/** How the supervisor of this state is, or undefined when it no longer lives, even where its pid or port serve others now. */
export function askStatus(state: StackState): Promise<Status | undefined> {
  return call<Status>(state, '/status', statusMsMax)
}

/** Makes the supervisor of this state stop everything, and waits until it has; undefined when it no longer lives. */
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
