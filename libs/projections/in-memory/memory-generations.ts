import { formatPartition, type TopicPartition } from '#domain'
import { type NewGeneration, statusOfNew } from '../view-store/generation.ts'
import type {
  AddOptions,
  Generations,
  GenerationState,
  Stop,
  SwitchOutcome,
} from '../view-store/generations.ts'
import type { StoredProjection, ViewSet } from '../view-store/view-set.ts'
import type { MemoryGeneration } from './memory-generation.ts'
import { type MemoryProjections, promised } from './memory-projections.ts'

/** {@link Generations} in memory. */
export class MemoryGenerations implements Generations {
  readonly #projections: MemoryProjections
  readonly #now: () => number

  constructor(projections: MemoryProjections, now: () => number) {
    this.#projections = projections
    this.#now = now
  }

  list(projection: StoredProjection): Promise<readonly GenerationState[]> {
    return promised(() => this.#projections.all(projection).map((generation) => generation.state()))
  }

  add(
    projection: StoredProjection,
    generation: NewGeneration,
    { ifNeeded = false, insteadOf }: AddOptions = {},
  ): Promise<boolean> {
    return promised(() => {
      if (this.#projections.find({ projection, generation: generation.id }) !== undefined) return false
      if (insteadOf !== undefined && !this.#replace({ projection, generation: insteadOf })) return false
      const current = this.#projections.all(projection).filter(isCurrent)
      if (ifNeeded && current.some(({ viewVersion }) => viewVersion >= generation.viewVersion)) return false
      const status = statusOfNew(generation, current)
      if (status === 'building') retireBuilding(current)
      this.#projections.add(projection, generation, status)
      return true
    })
  }

  switchTo(set: ViewSet, holdMs: number): Promise<SwitchOutcome> {
    return promised(() => {
      const next = this.#projections.find(set)
      if (next?.status === 'serving') return 'switched'
      if (next?.status !== 'building') return 'gone'
      const serving = this.#projections.serving(set.projection)
      if (serving !== undefined && !next.isLevelWith(serving)) {
        serving.heldUntilMs = this.#now() + holdMs
        return 'behind'
      }
      if (serving !== undefined) serving.status = 'retired'
      next.status = 'serving'
      return 'switched'
    })
  }

  retire(set: ViewSet): Promise<boolean> {
    return promised(() => {
      const generation = this.#projections.find(set)
      if (generation === undefined || generation.status === 'serving') return false
      generation.status = 'retired'
      return true
    })
  }

  discard(set: ViewSet, limit: number): Promise<boolean> {
    return promised(() => {
      const generation = this.#projections.find(set)
      if (generation === undefined) return true
      if (generation.status !== 'retired') return false
      this.#projections.serving(set.projection)?.noteAbsent(generation.takeKeys(limit), this.#now())
      if (generation.views.size > 0 || generation.unpublished.size > 0) return false
      this.#projections.delete(set)
      return true
    })
  }

  stop(set: ViewSet, source: TopicPartition, stop: Stop): Promise<void> {
    return promised(() => {
      this.#projections.find(set)?.stops.set(formatPartition(source), stop)
    })
  }

  resume(projection: StoredProjection, source?: TopicPartition): Promise<number> {
    return promised(() => {
      let resumed = 0
      for (const { stops } of this.#projections.all(projection)) {
        for (const key of source === undefined ? [...stops.keys()] : [formatPartition(source)]) {
          if (stops.delete(key)) resumed += 1
        }
      }
      return resumed
    })
  }

  /** Retires a generation that another one replaces. @returns false when there is nothing to replace. */
  #replace(set: ViewSet): boolean {
    const replaced = this.#projections.active(set)
    if (replaced === undefined) return false
    replaced.status = 'retired'
    return true
  }
}

const isCurrent = ({ status }: MemoryGeneration): boolean => status === 'serving' || status === 'building'

function retireBuilding(current: readonly MemoryGeneration[]): void {
  for (const generation of current) {
    if (generation.status === 'building') generation.status = 'retired'
  }
}
