import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const established = '01'

/** Counts the TCP connections of a process to a port, from Linux's /proc. */
export function connectionsTo(pid: number, port: number): number {
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => inodeOf(`/proc/${pid}/fd/${fd}`)))
  return ['tcp', 'tcp6']
    .flatMap((kind) => readFileSync(`/proc/${pid}/net/${kind}`, 'utf8').trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote = '', state, , , , , , inode = '']) => {
      return state === established && portOf(remote) === port && own.has(inode)
    }).length
}

const portOf = (address: string): number => parseInt(address.split(':')[1] ?? '', 16)

/** The inode of a socket. Undefined for other files, or if the file has been closed meanwhile. */
function inodeOf(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1]
  } catch {
    return undefined
  }
}
