import { setTimeout as sleep } from 'node:timers/promises'

import type { System } from '../cluster/system.ts'
import { Random } from '../random.ts'
import type { Streams } from '../workload/streams.ts'
import { lanes } from './lanes.ts'
import { type Lane, type PlannedFault, scheduleOf } from './schedule.ts'

/** A fault that was applied. Times are from the clock of the history. */
export interface Injection {
  readonly fault: string
  /** What it affected. */
  readonly detail: string
  readonly fromMs: number
  /** When it was undone. */
  readonly untilMs: number
  /** Why it could not be applied or undone. */
  readonly failure?: string
}

interface NemesisOptions {
  readonly system: System
  readonly streams: Streams
  readonly seed: number
  readonly durationMs: number
}

/** Plays the seed's schedule until the time is over. @returns the applied faults, all of them undone. */
export async function playNemesis(options: NemesisOptions): Promise<readonly Injection[]> {
  const over = AbortSignal.timeout(options.durationMs)
  const played = await Promise.all(lanes.map((lane) => play(lane, options, over)))
  return played.flat().toSorted((one, other) => one.fromMs - other.fromMs)
}

async function play(lane: Lane, options: NemesisOptions, over: AbortSignal): Promise<Injection[]> {
  const injections: Injection[] = []
  for (const planned of scheduleOf(lane, options.seed)) {
    await pause(planned.pauseMs, over)
    if (over.aborted) break
    const random = new Random(options.seed, 'strike', lane.name, injections.length)
    injections.push(await inject(planned, options, random, over))
  }
  return injections
}

async function inject(
  { fault, forMs }: PlannedFault,
  { system, streams }: NemesisOptions,
  random: Random,
  over: AbortSignal,
): Promise<Injection> {
  const fromMs = performance.now()
  const outcome = await fault
    .strike({ system, streams, random, hold: () => pause(forMs, over) })
    .then((detail) => ({ detail }))
    .catch((error: unknown) => ({
      detail: '',
      failure: error instanceof Error ? error.message : String(error),
    }))
  return { fault: fault.name, fromMs, untilMs: performance.now(), ...outcome }
}

/** Returns early when the run is over. */
const pause = (ms: number, over: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal: over }).then(
    () => undefined,
    () => undefined,
  )
