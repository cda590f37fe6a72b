import type { Position, Projection } from '#domain'

import type { EventFeed } from '#event-log/records'
import type { ParkedEvent } from '../view-store/parked-event.ts'
import type { ViewSet } from '../view-store/view-set.ts'
import type { ViewStore } from '../view-store/view-store.ts'
import { asError, foldSteps, type FoldStep, stepsOf } from './fold-events.ts'

interface RetryResult {
  readonly applied: number
  /** Those that failed again, with the new error; they stay parked. */
  readonly failed: readonly ParkedEvent[]
}

const collisionsMax = 100

/**
 * Applies parked events, once each. The events come from the log; the store removes each from the parked events in the step that
 * applies it. They are applied late: after events that follow them in the log.
 */
export class ParkedRetry {
  readonly #projection: Projection
  readonly #store: Pick<ViewStore, 'views' | 'parked'>
  readonly #feed: EventFeed

  constructor(projection: Projection, store: Pick<ViewStore, 'views' | 'parked'>, feed: EventFeed) {
    this.#projection = projection
    this.#store = store
    this.#feed = feed
  }

  async retry(set: ViewSet, positions: readonly Position[]): Promise<RetryResult> {
    const failed: ParkedEvent[] = []
    let applied = 0
    for (const position of positions) {
      const outcome = await this.#retryOne(set, position)
      if (outcome === 'applied') applied++
      else if (outcome instanceof Error) {
        failed.push({ position, error: outcome.message, parkedAtMs: Date.now() })
      }
    }
    return { applied, failed }
  }

  /** @returns why it still fails; `gone` when it is no longer parked. */
  async #retryOne(set: ViewSet, position: Position): Promise<'applied' | 'gone' | Error> {
    const planned = await this.#plan(position)
    if (planned.failure !== undefined) return planned.failure
    const keys = planned.steps.map(({ key }) => key)
    for (let collisions = 0; collisions < collisionsMax; collisions++) {
      const folded = foldSteps(this.#projection, await this.#store.views.read(set, keys), planned.steps)
      if (folded.failure !== undefined) return folded.failure.error
      const outcome = await this.#store.parked.apply(set, position, folded.changes)
      if (outcome === 'applied') return 'applied'
      if (outcome !== 'view-changed') return 'gone'
    }
    return new Error(`its view changed during ${collisionsMax} attempts in a row: try again`)
  }

  /** An event that the log no longer returns does not delay the others. */
  async #plan(
    position: Position,
  ): Promise<{ readonly steps: readonly FoldStep[]; readonly failure?: Error | undefined }> {
    try {
      const { steps, failure } = stepsOf(this.#projection, [await this.#feed.eventAt(position)])
      return { steps, failure: failure?.error }
    } catch (error) {
      return { steps: [], failure: asError(error) }
    }
  }
}
