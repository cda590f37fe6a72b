import type { Position } from '#domain'

import type { ParkedEvent } from './parked-event.ts'
import type { ViewSet } from './view-set.ts'
import type { ViewChange } from './views.ts'

/** A page of parked events: at most `limit` of them, from the `offset`th on. */
export interface ParkedPage {
  readonly offset: number
  readonly limit: number
}

/**
 * `not-parked`: it was applied or dropped already, or was never parked. `view-changed` and `gone`: as for a commit.
 * If several are true: `gone` before `not-parked` before `view-changed`.
 */
export type ApplyParkedOutcome = 'applied' | 'not-parked' | 'view-changed' | 'gone'

/** Events that a generation could not apply. {@link Views.commit} parks them. */
export interface ParkedEvents {
  /** Parked events, oldest first by time, then by position. */
  list(set: ViewSet, page: ParkedPage): Promise<readonly ParkedEvent[]>

  /**
   * Applies a parked event: makes its changes as {@link Views.commit} does and removes it from the parked events, in one
   * step. The checkpoint stays; a held generation accepts it.
   */
  apply(set: ViewSet, position: Position, changes: readonly ViewChange[]): Promise<ApplyParkedOutcome>

  /** Drops parked events. @returns how many of the positions were parked. */
  drop(set: ViewSet, positions: readonly Position[]): Promise<number>
}
