import { traitsOf } from '../cluster/traits.ts'
import { Random } from '../random.ts'
import type { Fault } from './fault.ts'

/** Faults of a lane follow one after the other; the lanes run concurrently. */
export interface Lane {
  readonly name: string
  readonly faults: readonly Fault[]
  /** Shortest and longest time between two faults of this lane. */
  readonly pauseMs: readonly [number, number]
  /** Approximate number per minute. */
  readonly perSeed: number
}

export interface PlannedFault {
  readonly fault: Fault
  readonly pauseMs: number
  readonly forMs: number
}

/**
 * The faults of a seed, in order and without end: as many as fit into the time are applied. Faults are drawn from
 * decks in which each occurs according to its weight, and each seed continues roughly where the previous one ends, so
 * that many consecutive seeds apply every fault equally often. Faults that the seed's servers do not allow are
 * skipped.
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
