import { createServer } from 'node:net'
import { claimPort } from './port-claims.ts'
import { ask } from './probes.ts'
import { StackError } from './stack-error.ts'

const host = '127.0.0.1'
// Below the ports that systems assign to outgoing connections (Linux from 32768, macOS from 49152): a free port in this
// range is not taken by a client before its server binds it.
const firstPort = 15_000
const lastPort = 32_000

/** A required port: the part that needs it, and the variable that changes it. */
interface PortWish {
  readonly port: number
  readonly wantedBy: string
  readonly variable: string
}

/** Whether a server could listen on this port of 127.0.0.1 now, and would be the only one that clients reach. */
export async function isFree(port: number): Promise<boolean> {
  // macOS allows binding 127.0.0.1 while a server listens on all addresses.
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

/** Distinct free ports of 127.0.0.1. This function gives them to no one else while this process lives. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  while (found.size < count) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort))
    if ((await isFree(port)) && claimPort(port)) found.add(port)
  }
  return [...found]
}

/** @throws StackError naming every port in use, the part that needs it and the variable that changes it */
export async function assertFree(wishes: readonly PortWish[]): Promise<void> {
  const taken: string[] = []
  for (const { port, wantedBy, variable } of wishes) {
    if (!(await isFree(port)))
      taken.push(
        `Port ${port}, which ${wantedBy} needs, is in use. End what listens there, or choose another port: ${variable}=…`,
      )
  }
  if (taken.length > 0) throw new StackError(taken.join('\n'))
}
