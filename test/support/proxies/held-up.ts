/**
 * Measures how long the event loop of this process is blocked, in CPU time of its thread. On a shared machine, wall-clock time
 * would include other processes. Starts immediately.
 * @returns ends the measurement and returns the longest time between two timer ticks in milliseconds.
 */
export function watchHeldUp(): () => number {
  const cpuMs = (): number => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1_000
  }
  let last = cpuMs()
  let longest = 0
  const look = (): void => {
    const now = cpuMs()
    longest = Math.max(longest, now - last)
    last = now
  }
  const timer = setInterval(look, 1)
  return () => {
    clearInterval(timer)
    look()
    return Math.round(longest)
  }
}
