import { parsePartition, type Projection } from '#domain'

import type { GenerationState } from '../view-store/generations.ts'
import type { EngineParts } from './engine-parts.ts'
import { isStopped } from './standstill.ts'

/** The serving generation is held only when the new one is at most so many offsets behind. */
const gapMax = 5_000
const holdMs = 1_000
const tryAgainMs = 25
/** After so many tries comes a rest: a generation that never catches up must not hold the serving one for long. */
const triesInARow = 80
const restMs = 10_000

/** Switches to a generation that has caught up with the serving one. */
export class Switcher {
  readonly #projection: Projection
  readonly #parts: EngineParts
  #building = ''
  #tries = 0
  #restUntilMs = 0

  constructor(projection: Projection, parts: EngineParts) {
    this.#projection = projection
    this.#parts = parts
  }

  /** @returns after how many milliseconds to try again; undefined when there is nothing to switch. */
  async trySwitch(building: GenerationState, serving: GenerationState): Promise<number | undefined> {
    this.#startTriesOf(building.id)
    if (performance.now() < this.#restUntilMs) return undefined
    if (standsStill(building) || gapBetween(building, serving) > gapMax) return undefined
    const set = { projection: this.#projection, generation: building.id }
    const outcome = await this.#parts.store.generations.switchTo(set, holdMs)
    if (outcome === 'behind') return this.#tryAgain()
    if (outcome === 'switched') this.#parts.observer.switched(set)
    return 0
  }

  /** Each generation has its own tries. */
  #startTriesOf(building: string): void {
    if (building === this.#building) return
    this.#building = building
    this.#tries = 0
    this.#restUntilMs = 0
  }

  #tryAgain(): number | undefined {
    this.#tries++
    if (this.#tries < triesInARow) return tryAgainMs
    this.#tries = 0
    this.#restUntilMs = performance.now() + restMs
    return undefined
  }
}

const standsStill = (state: GenerationState): boolean =>
  [...state.stops.keys()].some((source) => isStopped(state, source))

/** How far a generation is behind another, over all partitions of topics that are still the same. */
function gapBetween(building: GenerationState, serving: GenerationState): number {
  let gap = 0
  for (const [source, checkpoint] of serving.checkpoints) {
    const { topic } = parsePartition(source)
    if (building.topicIds[topic] !== serving.topicIds[topic]) continue
    gap += Math.max(0, checkpoint - (building.checkpoints.get(source) ?? 0))
  }
  return gap
}
