import { readTurns } from '#bounds'
import {
  type Aggregate,
  aggregateTypeOf,
  fold,
  noVersion,
  type ReadOptions,
  type RecordedEvent,
  type Snapshot,
  type StreamId,
  validateSequence,
  type Version,
  versionAfter,
} from '#domain'
import { EventStoreError, parseTime } from '#event-store'

import type { StatePoint, StateAtVersion } from '../writer-api.ts'

/** Reads one stream. */
export interface StreamSource {
  /** The current version of the stream; 0: it does not exist. */
  readonly version: () => Promise<Version>
  /** The latest snapshot of a state version, if there is one. */
  readonly snapshot: (stateVersion: number) => Promise<Pick<Snapshot, 'version' | 'state'> | undefined>
  /** Events of the stream, in steps. */
  readonly events: (bounds: Omit<ReadOptions, 'limit'>) => AsyncIterable<readonly RecordedEvent[]>
}

/** Current and past states of aggregates, folded by the domain modules. */
export class StreamStates {
  readonly #aggregates: ReadonlyMap<string, Aggregate>

  constructor(aggregates: readonly Aggregate[]) {
    this.#aggregates = new Map(aggregates.map((aggregate) => [aggregate.type, aggregate]))
  }

  /**
   * The state of an existing stream; version 0 is the initial state. It starts at the stream's snapshot, unless that is newer.
   * @throws EventStoreError `stream-not-found` if the stream had no event (yet), `version-not-found` beyond its end, `category-not-found`
   */
  async state(source: StreamSource, streamId: StreamId, point: StatePoint): Promise<StateAtVersion> {
    const aggregate = this.#aggregateOf(streamId)
    const version = await versionAt(source, streamId, point)
    const start = (await snapshotBefore(source, aggregate, version)) ?? {
      version: noVersion,
      state: aggregate.initialState,
    }
    if (start.version === version) return { version, state: start.state }
    let { version: last, state } = start
    for await (const events of source.events({ fromVersion: versionAfter(last), toVersion: version })) {
      last = validateSequence(streamId, last, events)
      await readTurns.map(events, (event) => (state = fold(aggregate, [event], state)))
    }
    return { version: last, state }
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

async function versionAt(
  source: StreamSource,
  streamId: StreamId,
  { version, at }: StatePoint,
): Promise<Version> {
  // `at` is inclusive, `until` is not.
  const until = at === undefined ? undefined : new Date(parseTime(at, 'at') + 1).toISOString()
  const current = await source.version()
  if (version !== undefined) checkVersion(streamId, version, current)
  const found = version ?? (until === undefined ? current : await lastVersionBefore(source, until))
  if (found > 0 || version !== undefined) return found
  throw noStream(streamId, at === undefined ? '' : ` at ${at}`)
}

/** The version of the last event before a time; 0 if there is none. Events that were imported may be older than those before them. */
async function lastVersionBefore({ events }: StreamSource, until: string): Promise<Version> {
  for await (const [last] of events({ until, direction: 'backwards' })) if (last) return last.version
  return noVersion
}

async function snapshotBefore(
  source: StreamSource,
  { snapshot: { schema, stateVersion } }: Aggregate,
  version: Version,
): Promise<Pick<Snapshot, 'version' | 'state'> | undefined> {
  if (schema === undefined || version === noVersion) return undefined
  const snapshot = await source.snapshot(stateVersion)
  return snapshot !== undefined && snapshot.version <= version ? snapshot : undefined
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
