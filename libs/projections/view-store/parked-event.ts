import type { Position } from '#domain'

/** An event that could not be applied and was parked: the checkpoint is past it. */
export interface ParkedEvent {
  readonly position: Position
  /** Why; for people. */
  readonly error: string
  readonly parkedAtMs: number
}
