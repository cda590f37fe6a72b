import { readTurns } from '#bounds'
import {
  type Aggregate,
  type AggregateStore,
  aggregateIdOf,
  aggregateTypeOf,
  fold,
  Repository,
  type StreamId,
  type StreamPage,
  type Version,
} from '#domain'
import { EventStoreError, parseTime } from '#event-store'

import type { StateAt, StateAtVersion } from '../writer-api.ts'

/** Aggregates' states, now or then, folded by the domain modules. */
export class StreamStates {
  readonly #aggregates: ReadonlyMap<string, Aggregate>

  constructor(aggregates: readonly Aggregate[]) {
    this.#aggregates = new Map(aggregates.map((aggregate) => [aggregate.type, aggregate]))
  }

  /** @throws EventStoreError `stream-not-found` where the stream had no event (yet), `category-not-found` */
  async state(store: AggregateStore, streamId: StreamId, { version, at }: StateAt): Promise<StateAtVersion> {
    const aggregate = this.#aggregateOf(streamId)
    const found =
      version === undefined && at === undefined
        ? await new Repository(store, aggregate).load(aggregateIdOf(streamId))
        : await this.#fold(store, streamId, aggregate, {
            ...(version !== undefined && { toVersion: version }),
            // `at` is inclusive, `until` is not.
            ...(at !== undefined && { until: new Date(parseTime(at, 'at') + 1).toISOString() }),
          })
    if (found.version > 0) return { version: found.version, state: found.state }
    const then = at === undefined ? '' : ` at ${at}`
    throw new EventStoreError('stream-not-found', `there is no stream ${streamId}${then}`)
  }

  async #fold(store: AggregateStore, streamId: StreamId, aggregate: Aggregate, bounds: Bounds) {
    let state = aggregate.initialState
    let version = 0 as Version
    for await (const events of pagesOf(store, streamId, bounds)) {
      await readTurns.map(events, (event) => (state = fold(aggregate, [event], state)))
      version = events.at(-1)?.version ?? version
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

interface Bounds {
  readonly toVersion?: Version
  readonly until?: string
}

/** Small pages: each is a step, beside which other reads get theirs. */
async function* pagesOf(store: AggregateStore, streamId: StreamId, bounds: Bounds) {
  const limit = 200
  for (let fromVersion: Version | undefined = 1 as Version; fromVersion !== undefined;) {
    const page: StreamPage = await store.read(streamId, { ...bounds, fromVersion, limit })
    yield page.events
    fromVersion = page.next
  }
}
