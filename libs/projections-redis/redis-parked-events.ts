import type { Position } from '#domain'
import type {
  ApplyParkedOutcome,
  ParkedEvent,
  ParkedEvents,
  ParkedPage,
  ViewChange,
  ViewSet,
} from '#projections'

import { applyParkedScript, dropParkedScript } from './change-scripts.ts'
import { inPairs } from './generation-state.ts'
import { decodePosition, encodePosition } from './parked-position.ts'
import type { ProjectionScripts } from './projection-scripts.ts'
import { parkedScript } from './read-scripts.ts'
import { changeItems, type ScriptItem } from './script-argument.ts'

/** {@link ParkedEvents} in Redis. */
export class RedisParkedEvents implements ParkedEvents {
  readonly #scripts: ProjectionScripts

  constructor(scripts: ProjectionScripts) {
    this.#scripts = scripts
  }

  async list(set: ViewSet, { offset, limit }: ParkedPage): Promise<readonly ParkedEvent[]> {
    const reply = await this.#scripts.runOn(parkedScript, set, [offset, limit])
    const [parked, errors] = reply as [Buffer[], Buffer[]]
    return inPairs(parked).map(([position, parkedAtMs], index) => ({
      position: decodePosition(position),
      error: String(errors[index]),
      parkedAtMs: Number(parkedAtMs),
    }))
  }

  async apply(set: ViewSet, position: Position, changes: readonly ViewChange[]): Promise<ApplyParkedOutcome> {
    const items: ScriptItem[] = [
      set.generation,
      encodePosition(position),
      ...changeItems(changes, set.projection.indexNames),
    ]
    return String(await this.#scripts.runOn(applyParkedScript, set, items)) as ApplyParkedOutcome
  }

  async drop(set: ViewSet, positions: readonly Position[]): Promise<number> {
    return (await this.#scripts.runOn(dropParkedScript, set, [positions.map(encodePosition)])) as number
  }
}
