import { readTurns } from '#bounds'
import {
  type Aggregate,
  type AggregateStore,
  aggregateIdOf,
  aggregateTypeOf,
  fold,
  noVersion,
  type ReadOptions,
  type RecordedEvent,
  Repository,
  type StreamId,
  type Version,
} from '#domain'
import { EventStoreError, parseTime } from '#event-store'

import type { StatePoint, StateAtVersion } from '../writer-api.ts'

/** Reads the events of one stream. */
export interface StreamEvents {
  readonly store: AggregateStore
  /** The current version of the stream; 0: it does not exist. */
  readonly version: () => Promise<Version>
  /** Events of the stream from its start, in steps. */
  readonly events: (
    bounds: Pick<ReadOptions, 'toVersion' | 'until'>,
  ) => AsyncIterable<readonly RecordedEvent[]>
}

/** Current and past states of aggregates, folded by the domain modules. */
export class StreamStates {
  readonly #aggregates: ReadonlyMap<string, Aggregate>

  constructor(aggregates: readonly Aggregate[]) {
    this.#aggregates = new Map(aggregates.map((aggregate) => [aggregate.type, aggregate]))
  }

  /**
   * The state of an existing stream; version 0 is the initial state.
   * @throws EventStoreError `stream-not-found` if the stream had no event (yet), `version-not-found` beyond its end, `category-not-found`
   */
  async state(
    { store, events, version: versionNow }: StreamEvents,
    streamId: StreamId,
    { version, at }: StatePoint,
  ): Promise<StateAtVersion> {
    const aggregate = this.#aggregateOf(streamId)
    if (version !== undefined) checkVersion(streamId, version, await versionNow())
    if (version === noVersion) return { version, state: aggregate.initialState }
    const found =
      version === undefined && at === undefined
        ? await new Repository(store, aggregate).load(aggregateIdOf(streamId))
        : await this.#fold(
            aggregate,
            events({
              ...(version !== undefined && { toVersion: version }),
              // `at` is inclusive, `until` is not.
              ...(at !== undefined && { until: new Date(parseTime(at, 'at') + 1).toISOString() }),
            }),
          )
    if (found.version > 0) return { version: found.version, state: found.state }
    throw noStream(streamId, at === undefined ? '' : ` at ${at}`)
  }

  async #fold(aggregate: Aggregate, history: AsyncIterable<readonly RecordedEvent[]>) {
    let state = aggregate.initialState
    let version = 0 as Version
    for await (const events of history) {
      await readTurns.map(events, (event) => (state = fold(aggregate, [event], state)))
      version = events.at(-1)?.version ?? version
    }
    return { version, state }
  }

  #aggregateOf(streamId: StreamId): Aggregate {
    const type = aggregateTypeOf(streamId)
    const aggregate = this.#aggregates.get(type)
    if (aggregate !== undefined) return aggregate
    throw new EventStoreError(
      'category-not-found',
      `no configured domain module defines the aggregate type ${type}`,
    )
  }
}

function checkVersion(streamId: StreamId, version: Version, actual: Version): void {
  if (actual === noVersion) throw noStream(streamId)
  if (version <= actual) return
  throw new EventStoreError(
    'version-not-found',
    `${streamId} has no version ${version} yet: it is at version ${actual}`,
    { path: 'version', actual },
  )
}

const noStream = (streamId: StreamId, then = ''): EventStoreError =>
  new EventStoreError('stream-not-found', `there is no stream ${streamId}${then}`)
