import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from './is-alive.ts'

const folder = join(tmpdir(), 'annals-ports')

/**
 * Claims a free port for as long as this process lives, whether anything listens there or not: a server that is stopped and started
 * again must find its port as it left it, also beside other tests that look for ports. Where claims cannot be written, nobody is refused.
 * @returns false where a process that lives has claimed it before, this one included.
 */
export function claimPort(port: number): boolean {
  const file = join(folder, String(port))
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EEXIST' || takeOver(file)
  }
}

function takeOver(file: string): boolean {
  try {
    if (isAlive(Number(readFileSync(file, 'utf8')))) return false
    writeFileSync(file, String(process.pid))
  } catch {
    // Another user's: the claim is void all the same.
  }
  return true
}
