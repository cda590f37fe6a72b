import { formatPosition, type Position } from '#domain'

import type { ParkedEvent } from '../view-store/parked-event.ts'
import type { ApplyParkedOutcome, ParkedEvents, ParkedPage } from '../view-store/parked-events.ts'
import type { ViewSet } from '../view-store/view-set.ts'
import type { ViewChange } from '../view-store/views.ts'
import { byUtf8 } from './memory-order.ts'
import { type MemoryProjections, promised } from './memory-projections.ts'

/** {@link ParkedEvents} in memory. */
export class MemoryParkedEvents implements ParkedEvents {
  readonly #projections: MemoryProjections

  constructor(projections: MemoryProjections) {
    this.#projections = projections
  }

  list(set: ViewSet, { offset, limit }: ParkedPage): Promise<readonly ParkedEvent[]> {
    return promised(() =>
      [...(this.#projections.find(set)?.parked.values() ?? [])]
        .sort(byTimeAndPosition)
        .slice(offset, offset + limit),
    )
  }

  apply(set: ViewSet, position: Position, changes: readonly ViewChange[]): Promise<ApplyParkedOutcome> {
    return promised(() => this.#projections.active(set)?.applyParked(position, changes) ?? 'gone')
  }

  drop(set: ViewSet, positions: readonly Position[]): Promise<number> {
    return promised(() => {
      const parked = this.#projections.find(set)?.parked
      return positions.filter((position) => parked?.delete(formatPosition(position))).length
    })
  }
}

const byTimeAndPosition = (a: ParkedEvent, b: ParkedEvent): number =>
  a.parkedAtMs - b.parkedAtMs ||
  byUtf8(a.position.topic, b.position.topic) ||
  a.position.partition - b.position.partition ||
  a.position.offset - b.position.offset
