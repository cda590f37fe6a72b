import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const established = '01'

/** How many TCP connections a process has to a port, as Linux tells in /proc. */
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

/** Of a socket; a file may be closed meanwhile. */
function inodeOf(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1]
  } catch {
    return undefined
  }
}
