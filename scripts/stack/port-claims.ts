import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from './is-alive.ts'

const folder = join(tmpdir(), 'annals-ports')

/**
 * Claims a free port for the lifetime of this process, whether or not anything listens there: a server that a test
 * stops and restarts must get its port back, even while other tests look for ports. If claims cannot be written, every
 * claim succeeds.
 * @returns false if a live process has claimed it, this one included
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
    // The claim of another user is obsolete as well.
  }
  return true
}
