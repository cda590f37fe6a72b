import type { Random } from '../random.ts'
import type { Fault } from './fault.ts'

export interface PlannedFault {
  readonly fault: Fault
  readonly forMs: number
  /** Begins so much after its step. */
  readonly delayMs: number
}

/** One fault, or two at a time; after all are undone there is a pause. */
export interface Step {
  readonly faults: readonly PlannedFault[]
  readonly pauseMs: number
}

const twoAtOnce = 0.35
const stepsOfADeck = 100

/**
 * What strikes in a seed, and for how long: drawn from a deck in which each fault is as often as its weight says, so that
 * all of them come. As many steps as fit the time are played; the seed decides which ones come first.
 */
export function scheduleOf(faults: readonly Fault[], random: Random): readonly Step[] {
  const deck = random.shuffled(faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault)))
  const plan = (fault: Fault): PlannedFault => ({
    fault,
    forMs: random.between(...fault.forMs),
    delayMs: random.between(0, 1_500),
  })
  const steps: Step[] = []
  while (deck.length > 0 && steps.length < stepsOfADeck) {
    const [first] = deck.splice(0, 1) as [Fault]
    const second = random.chance(twoAtOnce) ? takeOther(deck, first) : undefined
    steps.push({
      faults: [first, ...(second === undefined ? [] : [second])].map(plan),
      pauseMs: random.between(300, 2_500),
    })
  }
  return steps
}

/** The next of another ground. */
function takeOther(deck: Fault[], first: Fault): Fault | undefined {
  const at = deck.findIndex(({ ground }) => ground !== first.ground)
  return at < 0 ? undefined : deck.splice(at, 1)[0]
}
