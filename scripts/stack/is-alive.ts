import { readFileSync } from 'node:fs'

/**
 * Whether a process with this id runs; it may be a different process than the one expected. A zombie, which stays
 * where process 1 does not collect orphans, does not count.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return process.platform !== 'linux' || !isZombie(pid)
}

function isZombie(pid: number): boolean {
  try {
    // The state follows the program name, which is in parentheses and may contain any character.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')')).startsWith(') Z')
  } catch {
    return true
  }
}
