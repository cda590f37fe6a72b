import { Random } from '../random.ts'
import type { Fault } from './fault.ts'

export interface PlannedFault {
  readonly fault: Fault
  readonly forMs: number
  /** Begins so much after its step. */
  readonly delayMs: number
}

/** One fault, or two at a time, after a pause. */
export interface Step {
  readonly pauseMs: number
  readonly faults: readonly PlannedFault[]
}

const twoAtOnce = 0.4
/** About what a minute holds. */
const faultsPerSeed = 16

/**
 * What strikes in a seed, in its order and without end: as many steps as fit the time are played. Faults are dealt from decks
 * in which each is as often as its weight says, and each seed goes on about where the one before it leaves off, so that
 * many seeds in a row bring every fault equally often.
 */
export function* scheduleOf(faults: readonly Fault[], seed: number): Generator<Step, never> {
  const random = new Random(seed, 'schedule')
  const dealt = deal(faults, seed * faultsPerSeed)
  const plan = (fault: Fault): PlannedFault => ({
    fault,
    forMs: random.between(...fault.forMs),
    delayMs: random.between(0, 1_000),
  })
  for (let first = dealt.next().value; ;) {
    const next = dealt.next().value
    const areTwo = next.ground !== first.ground && random.chance(twoAtOnce)
    yield { pauseMs: random.between(300, 2_000), faults: (areTwo ? [first, next] : [first]).map(plan) }
    first = areTwo ? dealt.next().value : next
  }
}

/** One deck after the other, each shuffled by its number. @param from so many have been dealt before. */
function* deal(faults: readonly Fault[], from: number): Generator<Fault, never> {
  const sorted = faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault))
  for (let number = Math.floor(from / sorted.length), first = from % sorted.length; ; number++, first = 0)
    yield* new Random(number, 'deck').shuffled(sorted).slice(first)
}
