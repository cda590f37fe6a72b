import { percentile } from './measure.ts'

export interface CallersResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * Runs `callers` concurrent callers. Each calls again as soon as it has its answer.
 * @param durationMs the duration; calls that begin before its end are awaited and counted
 */
export async function measureCallers(
  callers: number,
  durationMs: number,
  call: (n: number) => Promise<unknown>,
): Promise<CallersResult> {
  const times: number[] = []
  const startMs = performance.now()
  const endMs = startMs + durationMs
  let next = 0
  const caller = async () => {
    for (let nowMs = performance.now(); nowMs < endMs;) {
      await call(next++)
      const doneMs = performance.now()
      times.push(doneMs - nowMs)
      nowMs = doneMs
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return {
    perSecond: Math.round((times.length / (performance.now() - startMs)) * 1_000),
    p50Ms: round(percentile(times, 50)),
    p99Ms: round(percentile(times, 99)),
  }
}

const round = (ms: number): number => Math.round(ms * 100) / 100
