import type { Position, Projection } from '#domain'

import type { EventFeed } from '#event-log/records'
import type { ParkedEvent, ViewSet, ViewStore } from '../view-store.ts'
import { asError, foldSteps, type Step, stepsOf } from './fold-events.ts'

export interface RetryResult {
  readonly applied: number
  /** Those that failed again, with what is wrong now; they stay set aside. */
  readonly failed: readonly ParkedEvent[]
}

const collisionsMax = 100

/**
 * Applies events that were set aside, once each: the log tells what they are, the store in the same step that they are
 * set aside no more. They come late: after events that stand behind them in the log.
 */
export class ParkedRetry {
  readonly #projection: Projection
  readonly #store: ViewStore
  readonly #feed: EventFeed

  constructor(projection: Projection, store: ViewStore, feed: EventFeed) {
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

  /** @returns what is still wrong with it; `gone` where it is not set aside any more. */
  async #retryOne(set: ViewSet, position: Position): Promise<'applied' | 'gone' | Error> {
    const planned = await this.#plan(position)
    if (planned.failure !== undefined) return planned.failure
    const keys = planned.steps.map(({ key }) => key)
    for (let collisions = 0; collisions < collisionsMax; collisions++) {
      const folded = foldSteps(this.#projection, await this.#store.read(set, keys), planned.steps)
      if (folded.failure !== undefined) return folded.failure.error
      const outcome = await this.#store.applyParked(set, position, folded.changes)
      if (outcome === 'applied') return 'applied'
      if (outcome !== 'view-changed') return 'gone'
    }
    return new Error(`its view changed under ${collisionsMax} tries in a row: try again`)
  }

  /** One that the log does not give, now or any more, holds up none of the others. */
  async #plan(
    position: Position,
  ): Promise<{ readonly steps: readonly Step[]; readonly failure?: Error | undefined }> {
    try {
      const { steps, failure } = stepsOf(this.#projection, [await this.#feed.eventAt(position)])
      return { steps, failure: failure?.error }
    } catch (error) {
      return { steps: [], failure: asError(error) }
    }
  }
}
