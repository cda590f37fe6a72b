import { deadlineIn, msUntil } from '#async'
import type { Projection } from '#domain'
import {
  type GenerationState,
  type Lookup,
  ProjectionError,
  type ViewOptions,
  type ViewSet,
  type ViewStore,
} from '#projections'

import type { AppliedEvents } from './applied-events.ts'
import type { KnownProjections } from './known-projections.ts'
import { answered, behind, noGeneration } from './projection-errors.ts'
import { withoutViews } from './projection-infos.ts'

interface ServedGenerationsParts {
  readonly generations: Pick<ViewStore['generations'], 'list'>
  readonly known: KnownProjections
  readonly appliedEvents: AppliedEvents
  /** The longest time that a read waits for an event to be applied. */
  readonly afterTimeoutMs: number
}

const waitMsDefault = 5_000
const generationsMax = 1_000

/** Finds the generation that answers a read. A generation of a replaced log never does. */
export class ServedGenerations {
  readonly #parts: ServedGenerationsParts
  /** Generations that were built from the current log, as `name/id`. */
  readonly #ofThisLog = new Set<string>()

  constructor(parts: ServedGenerationsParts) {
    this.#parts = parts
  }

  /** The serving generation. @throws ProjectionError `unavailable`, `log-replaced`, `events-deleted` */
  async serving(projection: Projection): Promise<ViewSet> {
    const states = await this.#states(projection)
    const serving = states.find(({ status }) => status === 'serving')
    if (serving === undefined || this.#isOfOldLog(projection, serving))
      throw await this.#noneServes(projection)
    return { projection, generation: serving.id }
  }

  /**
   * Asks until the event at `after` is applied, within the time-outs of the caller and of the service.
   * @throws ProjectionError `projection-behind`, `generation-not-found`, `overloaded`, and those of {@link serving};
   * EventStoreError `invalid-request`
   */
  async lookUp<Found>(
    projection: Projection,
    { after, generation, timeoutMs = waitMsDefault }: ViewOptions,
    ask: () => Promise<Lookup<Found>>,
  ): Promise<Found> {
    const { known, appliedEvents, afterTimeoutMs } = this.#parts
    if (after !== undefined) {
      known.checkSource(projection, after, 'after')
      appliedEvents.admit({ projection, after, generation })
    }
    const waitMs = Math.min(timeoutMs, afterTimeoutMs)
    const deadline = deadlineIn(waitMs)
    for (;;) {
      const seen = appliedEvents.steps
      const looked = await answered(ask())
      if (looked.outcome === 'found' && (await this.#isServed(projection, looked.generation)))
        return looked.found
      if (looked.outcome !== 'behind') throw await this.#notServed(projection, generation)
      const leftMs = msUntil(deadline)
      if (after === undefined || leftMs === 0) throw behind(projection, after, waitMs)
      await appliedEvents.next({ projection, after, generation }, seen, leftMs)
    }
  }

  /** Checks each generation once. */
  async #isServed(projection: Projection, generation: string): Promise<boolean> {
    const key = `${projection.name}/${generation}`
    if (this.#ofThisLog.has(key)) return true
    const state = (await this.#states(projection)).find(({ id }) => id === generation)
    if (state === undefined || this.#isOfOldLog(projection, state)) return false
    if (this.#ofThisLog.size >= generationsMax) this.#ofThisLog.clear()
    this.#ofThisLog.add(key)
    return true
  }

  #notServed(projection: Projection, generation: string | undefined): Promise<ProjectionError> {
    return generation === undefined
      ? this.#noneServes(projection)
      : Promise.resolve(noGeneration(projection.name, generation))
  }

  async #noneServes(projection: Projection): Promise<ProjectionError> {
    const waiting = this.#parts.known.waitingError(projection)
    if (waiting !== undefined) return waiting
    const reason =
      withoutViews(projection, await this.#states(projection)) ??
      `another generation of ${projection.name} is taking over`
    return new ProjectionError('unavailable', reason, { retryAfterSeconds: 1 })
  }

  #isOfOldLog({ name }: Projection, state: GenerationState): boolean {
    return this.#parts.known.find(name).isOfOldLog(state)
  }

  #states(projection: Projection): Promise<readonly GenerationState[]> {
    return answered(this.#parts.generations.list(projection))
  }
}
