import { createServer } from 'node:net'
import { claimPort } from './port-claims.ts'
import { ask } from './probes.ts'
import { StackError } from './stack-error.ts'

const host = '127.0.0.1'
// Below the ports that systems hand out to outgoing connections (Linux from 32768, macOS from 49152):
// a port found free here is not taken by a passing client before its server binds it.
const firstPort = 15_000
const lastPort = 32_000

/** What wants a port, and which variable moves it. */
export interface PortWish {
  readonly port: number
  readonly wantedBy: string
  readonly variable: string
}

/** True when a server could listen on this port of 127.0.0.1 now, and clients would reach it and nobody else. */
export async function isFree(port: number): Promise<boolean> {
  // macOS lets one bind 127.0.0.1 beside a server that listens on all addresses.
  const answered = await ask({ host, port }).then(
    () => true,
    () => false,
  )
  return !answered && (await canBind(port))
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(false) : reject(error),
    )
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Different ports of 127.0.0.1 that are free now, and that nobody else gets by this function while this process lives. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  while (found.size < count) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort))
    if ((await isFree(port)) && claimPort(port)) found.add(port)
  }
  return [...found]
}

/** @throws StackError naming every port that is taken, what wanted it and the variable that moves it */
export async function assertFree(wishes: readonly PortWish[]): Promise<void> {
  const taken: string[] = []
  for (const { port, wantedBy, variable } of wishes) {
    if (!(await isFree(port)))
      taken.push(
        `Port ${port}, which ${wantedBy} wants, is taken. End what listens there, or choose another: ${variable}=…`,
      )
  }
  if (taken.length > 0) throw new StackError(taken.join('\n'))
}
