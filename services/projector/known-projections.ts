import {
  formatPartition,
  formatPosition,
  type Position,
  type Projection,
  suggestion,
  type TopicPartition,
} from '#domain'
import { invalidRequest } from '#event-store'
import { type Generation, ProjectionError, type Until } from '#projections'

import type { SourceStates } from './source-states.ts'

/** A projection of this instance: its definition, its sources, and its generations. */
export interface KnownProjection {
  readonly projection: Projection
  readonly sources: readonly TopicPartition[]
  /** Starts a generation. @returns its id. */
  rebuild(until?: Until): Promise<string>
  /** Whether a generation was built from topics that no longer exist. Its views are never served. */
  isOfOldLog(generation: Generation): boolean
}

/** The projections of this instance by name, with the checks that requests have in common. */
export class KnownProjections {
  readonly #byName: ReadonlyMap<string, KnownProjection>
  readonly #states: Pick<SourceStates, 'checkReadable' | 'waiting'>

  constructor(
    projections: readonly KnownProjection[],
    states: Pick<SourceStates, 'checkReadable' | 'waiting'>,
  ) {
    this.#byName = new Map(projections.map((known) => [known.projection.name, known]))
    this.#states = states
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()]
  }

  /** @throws ProjectionError `projection-not-found` */
  find(name: string): KnownProjection {
    const known = this.#byName.get(name)
    if (known !== undefined) return known
    throw new ProjectionError(
      'projection-not-found',
      `there is no projection ${JSON.stringify(name)}${suggestion(name, this.names)}`,
    )
  }

  /** @throws ProjectionError `projection-not-found`; `log-replaced` if a source topic was replaced. */
  readable(name: string): KnownProjection {
    const known = this.find(name)
    this.#states.checkReadable(known.projection)
    return known
  }

  /** The error of a projection with a source that waits for an operator. */
  waitingError(projection: Projection): ProjectionError | undefined {
    const [waiting] = this.#states.waiting([projection])
    return waiting && new ProjectionError(waiting.state, waiting.reason)
  }

  /**
   * Checks that a position belongs to a source of the projection.
   * @param path of the field that holds the position, for the error
   * @throws EventStoreError `invalid-request`
   */
  checkSource({ name, sources: types }: Projection, at: Position, path: string): void {
    const { sources } = this.find(name)
    if (sources.some((source) => formatPartition(source) === formatPartition(at))) return
    throw invalidRequest(
      path,
      `position ${formatPosition(at)} belongs to no source of projection ${name}: its sources are ${types.join(', ')}`,
    )
  }
}
