/**
 * How long the event loop of this process is held up, in processor time of its thread: on a machine that others share, time by the
 * clock tells of them. Begins at once.
 * @returns milliseconds of the longest time between two turns of a timer; asking ends it
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
