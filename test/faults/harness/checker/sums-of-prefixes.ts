import type { AppendedEvent } from '../history.ts'
import { cents, type Month } from './fold.ts'

/** Events of a month in one partition, and how many of them, from the first one on, count at least and at most. */
export interface MonthPart {
  readonly events: readonly Pick<AppendedEvent, 'data'>[]
  readonly least: number
  readonly most: number
}

interface Sum {
  readonly purchases: number
  readonly cds: number
  readonly cents: bigint
}

const nothing: Sum = { purchases: 0, cds: 0, cents: 0n }

/** Combinations to try. Beyond that, only the bounds are checked. */
const stepsMax = 20_000

/** Whether a month's view is the sum of some prefix of each part. */
export function isSumOfPrefixes(view: unknown, parts: readonly MonthPart[]): boolean {
  if (view === null) return parts.every(({ least }) => least === 0)
  const wanted = sumOf(view)
  if (wanted === undefined || wanted.purchases === 0) return false
  const search = new Search(parts)
  return search.finds(wanted)
}

function sumOf(view: unknown): Sum | undefined {
  const { purchases, cds, revenue, ...others } = view as Partial<Month>
  if (purchases === undefined || cds === undefined || revenue === undefined) return undefined
  return Object.keys(others).length > 0 ? undefined : { purchases, cds, cents: cents(revenue) }
}

class Search {
  /** The possible sums of each part. The longest part is last, because its sum follows from the others. */
  readonly #choices: readonly (readonly Sum[])[]
  /** The minimum and the maximum that the parts from here on contribute. */
  readonly #least: readonly Sum[]
  readonly #most: readonly Sum[]
  #steps = 0

  constructor(parts: readonly MonthPart[]) {
    this.#choices = parts
      .map(({ events, least, most }) => sums(events).slice(least, Math.max(least, most) + 1))
      .toSorted((one, other) => one.length - other.length)
    this.#least = this.#restOf((choice) => choice[0])
    this.#most = this.#restOf((choice) => choice.at(-1))
  }

  finds(wanted: Sum, part = 0): boolean {
    const choices = this.#choices[part]
    if (choices === undefined) return isSame(wanted, nothing)
    if (!isAtMost(this.#least[part], wanted) || !isAtMost(wanted, this.#most[part])) return false
    if (part === this.#choices.length - 1) {
      const chosen = choices[wanted.purchases - (choices[0]?.purchases ?? 0)]
      return chosen !== undefined && isSame(wanted, chosen)
    }
    for (const chosen of choices) {
      if (++this.#steps > stepsMax || this.finds(minus(wanted, chosen), part + 1)) return true
    }
    return false
  }

  #restOf(end: (choice: readonly Sum[]) => Sum | undefined): readonly Sum[] {
    return this.#choices.map((_, part) =>
      this.#choices.slice(part).reduce((sum, choice) => plus(sum, end(choice) ?? nothing), nothing),
    )
  }
}

function sums(events: readonly Pick<AppendedEvent, 'data'>[]): readonly Sum[] {
  const found: Sum[] = [nothing]
  for (const { data } of events) {
    const added = { purchases: 1, cds: Number(data['cds']), cents: cents(String(data['amount'])) }
    found.push(plus(found.at(-1) ?? nothing, added))
  }
  return found
}

const plus = (one: Sum, other: Sum): Sum => ({
  purchases: one.purchases + other.purchases,
  cds: one.cds + other.cds,
  cents: one.cents + other.cents,
})

const minus = (from: Sum, taken: Sum): Sum => ({
  purchases: from.purchases - taken.purchases,
  cds: from.cds - taken.cds,
  cents: from.cents - taken.cents,
})

const isSame = (one: Sum, other: Sum): boolean =>
  one.purchases === other.purchases && one.cds === other.cds && one.cents === other.cents

const isAtMost = (one: Sum | undefined, other: Sum | undefined): boolean =>
  one !== undefined &&
  other !== undefined &&
  one.purchases <= other.purchases &&
  one.cds <= other.cds &&
  one.cents <= other.cents
