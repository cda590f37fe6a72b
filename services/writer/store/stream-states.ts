import {
  type Aggregate,
  aggregateIdOf,
  aggregateTypeOf,
  fold,
  Repository,
  type StreamId,
  type Version,
} from '#domain'
import { type EventStore, EventStoreError, parseTime, readAll } from '#event-store'

import type { StateAt, StateAtVersion } from '../writer-api.ts'

/** Aggregates' states, now or then, folded by the domain modules. */
export class StreamStates {
  readonly #store: EventStore
  readonly #aggregates: ReadonlyMap<string, Aggregate>

  constructor(store: EventStore, aggregates: readonly Aggregate[]) {
    this.#store = store
    this.#aggregates = new Map(aggregates.map((aggregate) => [aggregate.type, aggregate]))
  }

  /** @throws EventStoreError `stream-not-found` where the stream had no event (yet), `category-not-found` */
  async state(streamId: StreamId, { version, at }: StateAt): Promise<StateAtVersion> {
    const aggregate = this.#aggregateOf(streamId)
    const found =
      version === undefined && at === undefined
        ? await new Repository(this.#store, aggregate).load(aggregateIdOf(streamId))
        : await this.#fold(streamId, aggregate, {
            ...(version !== undefined && { toVersion: version }),
            // `at` is inclusive, `until` is not.
            ...(at !== undefined && { until: new Date(parseTime(at, 'at') + 1).toISOString() }),
          })
    if (found.version > 0) return { version: found.version, state: found.state }
    const then = at === undefined ? '' : ` at ${at}`
    throw new EventStoreError('stream-not-found', `there is no stream ${streamId}${then}`)
  }

  async #fold(streamId: StreamId, aggregate: Aggregate, bounds: { toVersion?: Version; until?: string }) {
    let state = aggregate.initialState
    let version = 0 as Version
    for await (const event of readAll(this.#store, streamId, { ...bounds, limit: 1_000 })) {
      state = fold(aggregate, [event], state)
      version = event.version
    }
    return { version, state }
  }

  #aggregateOf(streamId: StreamId): Aggregate {
    const type = aggregateTypeOf(streamId)
    const aggregate = this.#aggregates.get(type)
    if (aggregate !== undefined) return aggregate
    throw new EventStoreError('category-not-found', `no domain module here has the aggregate ${type}`)
  }
}
