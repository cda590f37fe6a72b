import { percentile } from './measure.ts'

export interface CallersResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** The calls of one process. */
export interface CallSamples {
  /** The duration of each call. */
  readonly timesMs: readonly number[]
  /** From the start of the first call to the end of the last. */
  readonly elapsedMs: number
}

/**
 * Runs `callers` concurrent callers. Each calls again as soon as it has its answer.
 * @param durationMs the duration; calls that begin before its end are awaited and counted
 */
export async function runCallers(
  callers: number,
  durationMs: number,
  call: (n: number) => Promise<unknown>,
): Promise<CallSamples> {
  const timesMs: number[] = []
  const startMs = performance.now()
  const endMs = startMs + durationMs
  let next = 0
  const caller = async () => {
    for (let nowMs = performance.now(); nowMs < endMs;) {
      await call(next++)
      const doneMs = performance.now()
      timesMs.push(doneMs - nowMs)
      nowMs = doneMs
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { timesMs, elapsedMs: performance.now() - startMs }
}

/** The result of processes that ran at the same time. @throws RangeError without calls. */
export function callersResult(processes: readonly CallSamples[]): CallersResult {
  const timesMs = processes.flatMap((samples) => samples.timesMs)
  const perSecond = processes.reduce(
    (sum, samples) => sum + (samples.timesMs.length / samples.elapsedMs) * 1_000,
    0,
  )
  return {
    perSecond: Math.round(perSecond),
    p50Ms: round(percentile(timesMs, 50)),
    p99Ms: round(percentile(timesMs, 99)),
  }
}

/** {@link runCallers} in this process alone. */
export const measureCallers = async (
  callers: number,
  durationMs: number,
  call: (n: number) => Promise<unknown>,
): Promise<CallersResult> => callersResult([await runCallers(callers, durationMs, call)])

const round = (ms: number): number => Math.round(ms * 100) / 100
