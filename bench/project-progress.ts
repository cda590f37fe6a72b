import { setTimeout as sleep } from 'node:timers/promises'

export interface ProgressRate {
  readonly perSecond: number
  /** CPU time of this process per event. Unlike the rate, it hardly depends on other load on the machine. */
  readonly cpuMicros: number
}

const pollMs = 2
const standstillMsMax = 60_000

/**
 * The rate at which `total` events are processed, from the first processed event on. Connecting and joining a group
 * are not included.
 * @param done how many events are processed so far
 */
export async function measureProgress(
  total: number,
  done: () => number | Promise<number>,
): Promise<ProgressRate> {
  const first = await untilAtLeast(1, done)
  const startMs = performance.now()
  const cpu = process.cpuUsage()
  await untilAtLeast(total, done)
  const elapsedMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(cpu)
  const events = total - first
  return {
    perSecond: Math.round((events / elapsedMs) * 1_000),
    cpuMicros: Math.round(((user + system) / events) * 10) / 10,
  }
}

/** @returns how many are processed by then. @throws Error when there is no progress for a minute. */
export async function untilAtLeast(goal: number, done: () => number | Promise<number>): Promise<number> {
  let before = -1
  let movedAtMs = performance.now()
  for (;;) {
    const now = await done()
    if (now >= goal) return now
    if (now !== before) movedAtMs = performance.now()
    if (performance.now() - movedAtMs > standstillMsMax)
      throw new Error(`${now} of ${goal} are processed, and there is no progress`)
    before = now
    await sleep(pollMs)
  }
}
