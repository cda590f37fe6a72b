import type { Operation } from '../history.ts'

/** A promise that was not kept. */
export interface Violation {
  /** Name of the promise. */
  readonly promise: string
  /** The stream, the partition, the snapshot or the view. */
  readonly where: string
  readonly expected: string
  readonly found: string
  /** The shortest part of the history that shows it; empty where what is left speaks for itself. */
  readonly operations: readonly Operation[]
}

/** A violation as a promise finds it: `operations` may hold more than are needed. */
export interface Finding extends Omit<Violation, 'promise'> {
  /** Where only this stream's events matter to it. */
  readonly streamId?: string
}
