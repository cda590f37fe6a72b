import { setTimeout as sleep } from 'node:timers/promises'

import type { System } from '../cluster/system.ts'
import { Random } from '../random.ts'
import type { Streams } from '../workload/streams.ts'
import type { Fault } from './fault.ts'
import { networkFaults } from './network-faults.ts'
import { processFaults } from './process-faults.ts'
import { type PlannedFault, scheduleOf } from './schedule.ts'
import { serverFaults } from './server-faults.ts'

export const faults: readonly Fault[] = [...processFaults, ...serverFaults, ...networkFaults]

/** A fault that struck. Times are of the clock of the history. */
export interface Injection {
  readonly fault: string
  /** What it struck. */
  readonly detail: string
  readonly fromMs: number
  /** When it was undone. */
  readonly untilMs: number
  /** Why it did not strike, or could not be undone. */
  readonly failure?: string
}

export interface NemesisOptions {
  readonly system: System
  readonly streams: Streams
  readonly seed: number
  readonly durationMs: number
}

/** Plays the seed's schedule until the time is over. @returns what struck, all of it undone. */
export async function playNemesis(options: NemesisOptions): Promise<readonly Injection[]> {
  const { seed, durationMs } = options
  const over = AbortSignal.timeout(durationMs)
  const injections: Injection[] = []
  let step = 0
  for (const { faults: planned, pauseMs } of scheduleOf(faults, seed)) {
    await pause(pauseMs, over)
    if (over.aborted) break
    step++
    const struck = planned.map((each, place) =>
      injectAfterDelay(each, options, new Random(seed, 'step', step, place), over),
    )
    injections.push(...(await Promise.all(struck)).flat())
  }
  return injections
}

async function injectAfterDelay(
  { fault, forMs, delayMs }: PlannedFault,
  { system, streams }: NemesisOptions,
  random: Random,
  over: AbortSignal,
): Promise<Injection[]> {
  await pause(delayMs, over)
  if (over.aborted) return []
  const fromMs = performance.now()
  const outcome = await fault
    .strike({ system, streams, random, hold: () => pause(forMs, over) })
    .then((detail) => ({ detail }))
    .catch((error: unknown) => ({
      detail: '',
      failure: error instanceof Error ? error.message : String(error),
    }))
  return [{ fault: fault.name, fromMs, untilMs: performance.now(), ...outcome }]
}

/** Ends early when the run is over. */
const pause = (ms: number, over: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal: over }).then(
    () => undefined,
    () => undefined,
  )
