import type { Operation } from '../history.ts'

/** A violated promise. */
export interface Violation {
  /** Name of the promise. */
  readonly promise: string
  /** The stream, the partition, the snapshot or the view. */
  readonly where: string
  readonly expected: string
  readonly found: string
  /** The shortest part of the history that shows it; empty if the remaining state alone does. */
  readonly operations: readonly Operation[]
}

/** A violation as a promise reports it: `operations` may be more than necessary. */
export interface Finding extends Omit<Violation, 'promise'> {
  /** Set if only the events of this stream matter. */
  readonly streamId?: string
}
