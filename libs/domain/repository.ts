import { LRUCache } from 'lru-cache'

import { type Aggregate, decide, type DomainCommand, fold } from './aggregate.ts'
import { type AggregateStore, type AppendResult, isConflict, type LoadedStream } from './aggregate-store.ts'
import { appendSettled } from './append-settled.ts'
import type { DomainEvent, NewEvent, RecordedEvent } from './event.ts'
import { foldInSteps } from './fold-in-steps.ts'
import { identifyEvents } from './identify-events.ts'
import type { EventMetadata } from './metadata.ts'
import { type LoadedAggregate, newAggregate } from './loaded-aggregate.ts'
import { defaultRetryPolicy, type RetryPolicy, withRetry } from './retry.ts'
import { validateSequence } from './sequence.ts'
import { snapshotFault } from './snapshot-fault.ts'
import type { StreamId } from './stream-id.ts'
import { type Version, versionAfter } from './version.ts'

export interface RepositoryOptions {
  /** Aggregates whose state is cached between loads. The least recently used are evicted first. Default 1,000. */
  readonly cachedMax?: number
  /** Limits retries after conflicts, and separately retries of appends whose outcome is unknown. */
  readonly retry?: Partial<RetryPolicy>
  /** Called for every snapshot that was ignored. The stream is then read from its start. */
  readonly onBadSnapshot?: (streamId: StreamId, fault: string) => void
}

export interface SaveOptions {
  /** Metadata for all events. An event's own metadata fields take precedence. */
  readonly metadata?: EventMetadata
}

export interface ExecuteOptions extends SaveOptions {
  /** How often to decide again after a conflict; default one less than the retry policy's tries. */
  readonly retries?: number
}

/** The result of a command. */
export interface Executed<State, Event extends DomainEvent> extends LoadedAggregate<State> {
  /** The events that the command produced; empty when it changed nothing. */
  readonly events: readonly Event[]
  /** The result of the append; absent when nothing was appended. */
  readonly result?: AppendResult
}

const pageLimit = 1_000

/**
 * Loads and saves aggregates of one type. A load reads a snapshot and the events after it; a save expects the loaded version.
 *
 * Cached states only save work. Every load asks the store for newer events, so it is as fresh as the store's answer, and
 * the expected version protects every save.
 */
export class Repository<State, Event extends DomainEvent, Command extends DomainCommand = never> {
  readonly #store: AggregateStore
  readonly #aggregate: Aggregate<State, Event, Command>
  readonly #cache: LRUCache<StreamId, LoadedAggregate<State>>
  readonly #retry: RetryPolicy
  readonly #onBadSnapshot: (streamId: StreamId, fault: string) => void

  constructor(
    store: AggregateStore,
    aggregate: Aggregate<State, Event, Command>,
    options: RepositoryOptions = {},
  ) {
    this.#store = store
    this.#aggregate = aggregate
    this.#cache = new LRUCache({ max: options.cachedMax ?? 1_000 })
    this.#retry = { ...defaultRetryPolicy, ...options.retry }
    this.#onBadSnapshot = options.onBadSnapshot ?? (() => undefined)
  }

  /**
   * Loads the current state of an aggregate; version 0 and the initial state when it has no events.
   * @param id aggregate id: the part of the stream id after the first dot.
   * @throws InvalidInputError when the id is malformed, or the stream contains events that the aggregate cannot fold.
   */
  async load(id: string): Promise<LoadedAggregate<State>> {
    const empty = newAggregate(this.#aggregate, id)
    const cached = this.#cache.get(empty.streamId)
    const loaded = (cached && (await this.#refresh(cached))) ?? (await this.#loadFromStore(empty))
    if (loaded.version > 0) this.#cache.set(loaded.streamId, loaded)
    return loaded
  }

  /**
   * Appends events if the stream is still at the loaded version. Ids are assigned before the first try. When the outcome is
   * unknown or the store is busy, the same events are sent again.
   * @throws an error whose `code` is `wrong-expected-version` when another append came first.
   */
  async save(
    loaded: Pick<LoadedAggregate<State>, 'streamId' | 'version'>,
    events: readonly NewEvent<Event>[],
    options: SaveOptions = {},
  ): Promise<AppendResult> {
    const identified = identifyEvents(
      events.map((event) => ({ ...event, metadata: { ...options.metadata, ...event.metadata } })),
    )
    return appendSettled(this.#store, this.#retry, loaded, identified)
  }

  /**
   * Loads, decides and saves. A conflict repeats all three with backoff, so the decision sees the newer state.
   * @throws DomainError when the domain rejects the command; the last conflict when the retries are exhausted.
   */
  async execute(id: string, command: Command, options: ExecuteOptions = {}): Promise<Executed<State, Event>> {
    const triesMax = options.retries === undefined ? this.#retry.triesMax : options.retries + 1
    return withRetry({ ...this.#retry, triesMax }, isConflict, async () => {
      const loaded = await this.load(id)
      const events = decide(this.#aggregate, loaded.state, command)
      if (events.length === 0) return { ...loaded, events }
      const result = await this.save(loaded, events, options)
      const state = fold(this.#aggregate, events, loaded.state)
      return { streamId: loaded.streamId, version: result.lastVersion, state, events, result }
    })
  }

  /** Undefined when the store is behind the cached version: the log was replaced, so the cached state is invalid. */
  async #refresh(cached: LoadedAggregate<State>): Promise<LoadedAggregate<State> | undefined> {
    const fromVersion = versionAfter(cached.version)
    const page = await this.#store.read(cached.streamId, { fromVersion, limit: pageLimit })
    if (page.version < cached.version) return undefined
    return this.#readOn(await this.#advance(cached, page.events), page.version)
  }

  async #loadFromStore(empty: LoadedAggregate<State>): Promise<LoadedAggregate<State>> {
    const { stateVersion } = this.#aggregate.snapshot
    const stream = await this.#store.load(empty.streamId, { stateVersion })
    const fault = snapshotFault(empty.streamId, stateVersion, stream)
    if (fault === undefined) return this.#rebuild(empty, stream)
    this.#onBadSnapshot(empty.streamId, fault)
    return this.#rebuild(empty, await this.#store.load(empty.streamId))
  }

  async #rebuild(empty: LoadedAggregate<State>, stream: LoadedStream): Promise<LoadedAggregate<State>> {
    // The state version was checked, so the state has the aggregate's type.
    const snapshot = stream.snapshot as { version: Version; state: State } | undefined
    const start = snapshot ? { ...empty, version: snapshot.version, state: snapshot.state } : empty
    return this.#readOn(await this.#advance(start, stream.events), stream.version)
  }

  /** Reads the missing events up to a version. An empty page is an error, so the loop ends. */
  async #readOn(loaded: LoadedAggregate<State>, toVersion: Version): Promise<LoadedAggregate<State>> {
    let current = loaded
    while (current.version < toVersion) {
      const fromVersion = versionAfter(current.version)
      const page = await this.#store.read(current.streamId, { fromVersion, toVersion, limit: pageLimit })
      if (page.events.length === 0) {
        throw new Error(
          `the store reports ${current.streamId} at version ${toVersion}, but returned no events from version ${fromVersion}`,
        )
      }
      current = await this.#advance(current, page.events)
    }
    return current
  }

  async #advance(
    loaded: LoadedAggregate<State>,
    events: readonly RecordedEvent[],
  ): Promise<LoadedAggregate<State>> {
    const version = validateSequence(loaded.streamId, loaded.version, events)
    // The log is untyped. Folding rejects event types that the aggregate does not have.
    const state = await foldInSteps(this.#aggregate, events as readonly RecordedEvent<Event>[], loaded.state)
    return { streamId: loaded.streamId, version, state }
  }
}
