import type { System } from '../cluster/system.ts'
import type { Traits } from '../cluster/traits.ts'
import type { Random } from '../random.ts'
import type { Streams } from '../workload/streams.ts'

/** The context of a fault. */
export interface Scene {
  readonly system: System
  readonly streams: Streams
  readonly random: Random
  /** Waits for the duration of the fault, or until the run is over. */
  hold(): Promise<void>
}

export interface Fault {
  readonly name: string
  /** How often it occurs, relative to the others of its lane. */
  readonly weight: number
  /** Whether it is possible in seeds with these traits; default: in all. */
  readonly isPossible?: (traits: Traits) => boolean
  /** Occurs at most once per seed. */
  readonly isOnce?: true
  /** Shortest and longest duration. */
  readonly forMs: readonly [number, number]
  /** Applies the fault, holds it, and undoes it. @returns what it affected. */
  strike(scene: Scene): Promise<string>
}

/** Undoes the fault even if something fails while it lasts. */
export async function heldBetween(
  scene: Pick<Scene, 'hold'>,
  strike: () => Promise<void> | void,
  undo: () => Promise<void> | void,
): Promise<void> {
  try {
    await strike()
    await scene.hold()
  } finally {
    await undo()
  }
}
