import type { Operation } from '../../history.ts'

/** When a write may have taken effect, and the operations that prove it. */
interface Bounds {
  earliestMs: number
  latestMs: number
  earliestBy: Operation | undefined
  latestBy: Operation | undefined
}

/** Why the writes cannot have taken effect in their order, each within its bounds. */
interface Impossible {
  /** Index of the write whose earliest moment is after its latest one. */
  readonly write: number
  readonly earliestMs: number
  readonly latestMs: number
  /** The operations that prove that it, or an earlier one, took effect late, and that it had taken effect before. */
  readonly operations: readonly Operation[]
}

/**
 * Assigns moments to writes of a known order. Each must have a moment within its bounds that is not before that of the
 * previous write. Choosing the earliest moment each time is exact: a later one never helps the following writes.
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

  /** The write took effect at or after the call of the operation. A missing write is ignored. */
  notBefore(write: number, by: Operation): void {
    const bounds = this.#bounds[write]
    if (bounds === undefined || bounds.earliestMs >= by.calledAtMs) return
    bounds.earliestMs = by.calledAtMs
    bounds.earliestBy = by
  }

  /** The write took effect at or before the end of the operation. */
  notAfter(write: number, by: Operation): void {
    const bounds = this.#bounds[write]
    if (bounds === undefined || bounds.latestMs <= by.endedAtMs) return
    bounds.latestMs = by.endedAtMs
    bounds.latestBy = by
  }

  /** The first write without a possible moment. */
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
