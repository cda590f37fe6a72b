/** The id of this process on its machine. */
export const processId = process.pid

/** The user that this process runs as; undefined where the system has no such ids. */
export const userId = (): number | undefined => process.getuid?.()

/** Whether this machine has a process of that id, be it another user's. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
