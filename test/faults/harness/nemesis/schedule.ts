import { traitsOf } from '../cluster/traits.ts'
import { Random } from '../random.ts'
import type { Fault } from './fault.ts'

/** Faults of a lane strike one after the other; the lanes go on side by side. */
export interface Lane {
  readonly name: string
  readonly faults: readonly Fault[]
  /** Shortest and longest time without a fault of this lane. */
  readonly pauseMs: readonly [number, number]
  /** About how many strike in a minute. */
  readonly perSeed: number
}

export interface PlannedFault {
  readonly fault: Fault
  readonly pauseMs: number
  readonly forMs: number
}

/**
 * What strikes in a seed, in its order and without end: as many as fit the time are played. Faults are dealt from decks in
 * which each is as often as its weight says, and each seed goes on about where the one before it leaves off, so that many
 * seeds in a row bring every fault equally often. Those that the seed's servers do not allow are passed over.
 */
export function* scheduleOf(lane: Lane, seed: number): Generator<PlannedFault, never> {
  const random = new Random(seed, 'schedule', lane.name)
  const traits = traitsOf(seed)
  const struck = new Set<Fault>()
  const cards = lane.faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault))
  for (let dealt = seed * lane.perSeed; ; dealt++) {
    const deck = new Random(Math.floor(dealt / cards.length), 'deck', lane.name).shuffled(cards)
    const fault = deck[dealt % cards.length] as Fault
    if (fault.isPossible?.(traits) === false || (fault.isOnce === true && struck.has(fault))) continue
    struck.add(fault)
    yield { fault, pauseMs: random.between(...lane.pauseMs), forMs: random.between(...fault.forMs) }
  }
}
