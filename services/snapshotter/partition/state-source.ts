import {
  type Aggregate,
  aggregateIdOf,
  type AggregateStore,
  defaultRetryPolicy,
  type DomainCommand,
  type DomainEvent,
  InvalidInputError,
  foldInSteps,
  type LoadedAggregate,
  Repository,
  type StreamId,
  validateSequence,
  versionAfter,
  withRetry,
} from '#domain'
import { EventStoreError } from '#event-store'
import type { EventCodec } from '#schemas'

import type { EncodedSnapshot } from '../topic/snapshot-record.ts'
import { BehindError, isPassing, reasonOf } from './passing-errors.ts'

/** An aggregate that declares a schema for its snapshots. */
export interface SnapshotAggregate extends Aggregate {
  readonly snapshot: Aggregate['snapshot'] & { readonly schema: string }
}

export const hasSnapshots = (aggregate: Aggregate): aggregate is SnapshotAggregate =>
  aggregate.snapshot.schema !== undefined

/** The same store without snapshots: loads start at the first event. */
export const withoutSnapshots = (store: AggregateStore): AggregateStore => ({
  append: (...append) => store.append(...append),
  load: (streamId) => store.load(streamId),
  read: (...read) => store.read(...read),
})

/** A writer commits to its index right after an append, so after this time it has committed or has failed. */
const untilIndexed = { ...defaultRetryPolicy, triesMax: 8, delayMsMin: 5, delayMsMax: 200 }

const pageLimit = 1_000

/** Builds snapshots: loads an aggregate, folds it by its definition, and encodes its state. */
export class StateSource {
  readonly #store: Pick<AggregateStore, 'read'>
  readonly #aggregate: SnapshotAggregate
  readonly #codec: Pick<EventCodec, 'encode'>
  readonly #repository: Repository<unknown, DomainEvent, DomainCommand>

  constructor(store: AggregateStore, aggregate: SnapshotAggregate, codec: Pick<EventCodec, 'encode'>) {
    this.#store = store
    this.#aggregate = aggregate
    this.#codec = codec
    this.#repository = new Repository(store, aggregate, { cachedMax: 1 })
  }

  /**
   * @param atLeast a version that is known to be in the log; 0 if none is known.
   * @param folded the state after the stream's first events. Only the events after them are read.
   * @throws EventStoreError `stream-not-found`, `invalid-state`; transient errors unchanged, see {@link isPassing}.
   */
  async snapshot(
    streamId: StreamId,
    atLeast: number,
    folded?: LoadedAggregate<unknown>,
  ): Promise<EncodedSnapshot> {
    try {
      const { version, state } = await this.#load(streamId, atLeast, folded)
      const { stateVersion, schema } = this.#aggregate.snapshot
      const encoded = this.#codec.encode(this.#aggregate.type, schema, state, 'snapshot')
      return { streamId, version, stateVersion, timestampMs: Date.now(), state: encoded }
    } catch (error) {
      throw isPassing(error) || error instanceof EventStoreError ? error : invalidState(streamId, error)
    }
  }

  async #load(
    streamId: StreamId,
    atLeast: number,
    folded?: LoadedAggregate<unknown>,
  ): Promise<LoadedAggregate<unknown>> {
    const load = () => this.#repository.load(aggregateIdOf(streamId))
    return withRetry(untilIndexed, isBehind, async () => {
      const loaded = await (folded === undefined ? load() : this.#readOn(folded))
      if (loaded.version < atLeast) throw new BehindError(behind(loaded, atLeast))
      if (loaded.version > 0) return loaded
      throw new EventStoreError('stream-not-found', `there is no stream ${streamId}`)
    })
  }

  /** Folds the events after a state, up to the current version of its stream. */
  async #readOn(folded: LoadedAggregate<unknown>): Promise<LoadedAggregate<unknown>> {
    const { streamId } = folded
    let current = folded
    for (;;) {
      const fromVersion = versionAfter(current.version)
      const page = await this.#store.read(streamId, { fromVersion, limit: pageLimit })
      if (page.version < current.version) {
        throw new BehindError(behind({ ...current, version: page.version }, current.version))
      }
      const version = validateSequence(streamId, current.version, page.events)
      const state = await foldInSteps(this.#aggregate, page.events, current.state)
      current = { streamId, version, state }
      if (page.events.length === 0 || version >= page.version) return current
    }
  }
}

const isBehind = (error: unknown): boolean => error instanceof BehindError

const behind = ({ streamId, version }: LoadedAggregate<unknown>, atLeast: number): string =>
  `${streamId} was loaded at version ${version}, though version ${atLeast} is in the log`

const invalidState = (streamId: StreamId, error: unknown): EventStoreError =>
  new EventStoreError(
    'invalid-state',
    `cannot build a snapshot of ${streamId}: ${reasonOf(error)}`,
    error instanceof InvalidInputError ? { path: error.path } : {},
    { cause: error },
  )
