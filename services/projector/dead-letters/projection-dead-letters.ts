import { formatPosition, type Position } from '#domain'
import type { EventFeed } from '#event-log/records'
import { parsePageLimit } from '#event-store'
import {
  type DeadLetter,
  type DeadLetterRetry,
  type ParkedEvent,
  ParkedRetry,
  type ViewSet,
  type ViewStore,
} from '#projections'

import type { KnownProjections } from '../known-projections.ts'
import { answered } from '../projection-errors.ts'
import type { ServedGenerations } from '../served-generations.ts'

interface ProjectionDeadLettersParts {
  readonly store: Pick<ViewStore, 'generations' | 'views' | 'parked'>
  readonly feed: EventFeed
  readonly known: KnownProjections
  readonly served: ServedGenerations
}

const limitDefault = 100
const retriedMax = 1_000

/** Lists, retries and drops the events that the serving generation of a projection has parked. */
export class ProjectionDeadLetters {
  readonly #parts: ProjectionDeadLettersParts

  constructor(parts: ProjectionDeadLettersParts) {
    this.#parts = parts
  }

  async list(
    name: string,
    { offset = 0, limit = limitDefault }: { readonly offset?: number; readonly limit?: number },
  ): Promise<readonly DeadLetter[]> {
    const set = await this.#serving(name)
    const page = { offset, limit: parsePageLimit(limit) }
    return (await answered(this.#parts.store.parked.list(set, page))).map(toDeadLetter)
  }

  /** @param positions default: the oldest 1,000 */
  async retry(name: string, positions?: readonly Position[]): Promise<DeadLetterRetry> {
    const { store, feed, known } = this.#parts
    const { projection } = known.find(name)
    for (const position of positions ?? []) known.checkSource(projection, position, 'positions')
    const set = await this.#serving(name)
    const asked = positions ?? (await this.#oldest(set))
    const { applied, failed } = await answered(new ParkedRetry(projection, store, feed).retry(set, asked))
    return { applied, failed: failed.map(toDeadLetter) }
  }

  async drop(name: string, positions: readonly Position[]): Promise<{ dropped: number }> {
    const set = await this.#serving(name)
    return { dropped: await answered(this.#parts.store.parked.drop(set, positions)) }
  }

  #serving(name: string): Promise<ViewSet> {
    const { known, served } = this.#parts
    return served.serving(known.find(name).projection)
  }

  async #oldest(set: ViewSet): Promise<readonly Position[]> {
    const parked = await answered(this.#parts.store.parked.list(set, { offset: 0, limit: retriedMax }))
    return parked.map(({ position }) => position)
  }
}

const toDeadLetter = ({ position, error, parkedAtMs }: ParkedEvent): DeadLetter => ({
  position: formatPosition(position),
  error,
  at: new Date(parkedAtMs).toISOString(),
})
