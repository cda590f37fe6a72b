import type { Operation } from '../../history.ts'

/** When a write may have taken effect, by all that is known of it; and who says so. */
interface Bounds {
  earliestMs: number
  latestMs: number
  earliestBy: Operation | undefined
  latestBy: Operation | undefined
}

/** Why writes cannot have taken effect in their order, each within its bounds. */
export interface Impossible {
  /** Index of the write that would have to come after the latest moment it may. */
  readonly write: number
  readonly earliestMs: number
  readonly latestMs: number
  /** Who says that it, or one before it, came so late; and who says that it was there already. */
  readonly operations: readonly Operation[]
}

/**
 * Moments of a row of writes whose order is known. Each has to find one within its bounds, not before the write before it. To take the
 * earliest moment each time is exact: a later one never helps those that follow.
 */
export class Moments {
  readonly #bounds: readonly Bounds[]

  constructor(writes: number) {
    this.#bounds = Array.from({ length: writes }, () => ({
      earliestMs: -Infinity,
      latestMs: Infinity,
      earliestBy: undefined,
      latestBy: undefined,
    }))
  }

  /** The write took effect at or after the operation's call. A write that does not exist says nothing. */
  notBefore(write: number, by: Operation): void {
    const bounds = this.#bounds[write]
    if (bounds === undefined || bounds.earliestMs >= by.calledAtMs) return
    bounds.earliestMs = by.calledAtMs
    bounds.earliestBy = by
  }

  /** The write took effect at or before the operation's end. */
  notAfter(write: number, by: Operation): void {
    const bounds = this.#bounds[write]
    if (bounds === undefined || bounds.latestMs <= by.endedAtMs) return
    bounds.latestMs = by.endedAtMs
    bounds.latestBy = by
  }

  /** The first write that finds no moment. */
  impossible(): Impossible | undefined {
    let earliestMs = -Infinity
    let earliestBy: Operation | undefined
    for (const [write, bounds] of this.#bounds.entries()) {
      if (bounds.earliestMs > earliestMs) ({ earliestMs, earliestBy } = bounds)
      if (earliestMs <= bounds.latestMs) continue
      const operations = [earliestBy, bounds.latestBy].filter((by) => by !== undefined)
      return { write, earliestMs, latestMs: bounds.latestMs, operations }
    }
    return undefined
  }
}
