import { setTimeout as sleep } from 'node:timers/promises'

export interface ProgressRate {
  readonly perSecond: number
  /** Of this process's processor time for each event: unlike the rate, it hardly depends on what else the machine does. */
  readonly cpuMicros: number
}

const pollMs = 2
const standstillMsMax = 60_000

/**
 * How fast something gets through so many events, from the first it has done on: what it takes to connect, or to join a
 * group, is not meant.
 * @param done how many, so far.
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

/** @returns how many are done by then. @throws Error when nothing is done for a minute. */
export async function untilAtLeast(goal: number, done: () => number | Promise<number>): Promise<number> {
  let before = -1
  let movedAtMs = performance.now()
  for (;;) {
    const now = await done()
    if (now >= goal) return now
    if (now !== before) movedAtMs = performance.now()
    if (performance.now() - movedAtMs > standstillMsMax)
      throw new Error(`${now} of ${goal} are done, and no more come`)
    before = now
    await sleep(pollMs)
  }
}
