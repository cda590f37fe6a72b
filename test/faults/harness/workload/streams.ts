import type { AppendedEvent } from '../history.ts'
import type { Random } from '../random.ts'

const hotShare = 0.6

/** The streams of a seed: a few that all clients compete for, and many that are used now and then. */
export class Streams {
  readonly hot: readonly string[]
  readonly #cold: readonly string[]
  /** The highest version that any client has seen. */
  readonly #known = new Map<string, number>()

  /** @param types of aggregates; the first has the projections, and most of the streams */
  constructor([main = '', other = '']: readonly string[]) {
    const several = (type: string, kind: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${type}.${kind}-${index + 1}`)
    this.hot = [...several(main, 'hot', 3), ...several(other, 'hot', 1)]
    this.#cold = [...several(main, 'cold', 120), ...several(other, 'cold', 24)]
  }

  any(random: Random): string {
    return random.pick(random.chance(hotShare) ? this.hot : this.#cold)
  }

  get all(): readonly string[] {
    return [...this.hot, ...this.#cold]
  }

  versionOf(streamId: string): number {
    return this.#known.get(streamId) ?? 0
  }

  learn(streamId: string, version: number): void {
    this.#known.set(streamId, Math.max(version, this.versionOf(streamId)))
  }
}

/** A customer's purchase in one of six months. */
export function purchase(random: Random): AppendedEvent {
  const two = (number: number) => String(number).padStart(2, '0')
  return {
    id: random.uuid(),
    type: 'PurchaseMade',
    data: {
      date: `1997-${two(random.between(1, 6))}-${two(random.between(1, 28))}`,
      cds: random.between(1, 9),
      amount: `${random.between(0, 99)}.${two(random.between(0, 99))}`,
    },
  }
}

/** Most appends have one event, some have a few, and now and then one is big. */
export function purchases(random: Random): AppendedEvent[] {
  const size = random.next()
  const count = size < 0.7 ? 1 : size < 0.96 ? random.between(2, 6) : random.between(20, 60)
  return Array.from({ length: count }, () => purchase(random))
}
