import type { System } from '../cluster/system.ts'
import type { Traits } from '../cluster/traits.ts'
import type { Random } from '../random.ts'
import type { Streams } from '../workload/streams.ts'

/** What a fault finds when it strikes. */
export interface Scene {
  readonly system: System
  readonly streams: Streams
  readonly random: Random
  /** As long as the fault is to last, or until the run is over. */
  hold(): Promise<void>
}

export interface Fault {
  readonly name: string
  /** How often it comes, compared with the others of its lane. */
  readonly weight: number
  /** Of seeds with these traits; default: of all. */
  readonly isPossible?: (traits: Traits) => boolean
  /** Strikes once in a seed at most. */
  readonly isOnce?: true
  /** Shortest and longest hold. */
  readonly forMs: readonly [number, number]
  /** Strikes, holds, and undoes it. @returns what it struck. */
  strike(scene: Scene): Promise<string>
}

/** Undoes the fault whatever happens while it lasts. */
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
