import {
  type Aggregate,
  type AppendOptions,
  type AppendResult,
  type DomainCommand,
  type DomainEvent,
  type LoadedStream,
  type LoadOptions,
  type NewEvent,
  parseStreamId,
  type ReadOptions,
  type RecordedEvent,
  Repository,
  type RepositoryOptions,
  type StreamId,
  streamIdOf,
  type StreamPage,
} from '#domain'
import {
  type AppendRequest,
  type BatchAppender,
  type CategoryEvent,
  type CategoryPage,
  type CategoryQuery,
  type CategoryReader,
  type EventStore,
  EventStoreError,
  parseRequest,
  readAll,
  type SnapshotCleanup,
  type SnapshotRebuild,
  type SnapshotsApi,
  type SnapshotStatistics,
  type SnapshotTaken,
  type ValidAppend,
} from '#event-store'
import type { ProjectionInfo } from '#projections'

import { AppendLane, type CoalesceLimits, defaultCoalesceLimits } from './append-lane.ts'
import { defaultRetryLimits, isTransient, type RetryLimits, retrying, settling } from './backoff.ts'
import { type ClientOptions, type SubscribeOptions, urlsOf } from './client-options.ts'
import { followStream, type OnProgress } from './follow-stream.ts'
import { HttpTransport } from './http-transport.ts'
import { OwnerTable } from './owner-table.ts'
import { ProjectionsClient } from './projections-client.ts'
import { ProjectionHandle } from './projections-handle.ts'
import { decodeEvent, encodeAppend } from './wire.ts'
import {
  type PartitionOwner,
  type PlacedStreamInfo,
  type StateAt,
  type StreamState,
  validAppend,
  WriterEndpoint,
} from './writer-endpoint.ts'

/**
 * The client of Annals. Keeps connections alive, lets concurrent appends travel together, goes straight to owners, and
 * tries again where the table of errors allows it: always with the same event ids, so that nothing is appended twice.
 * All methods reject with EventStoreError.
 */
export class AnnalsClient implements EventStore, BatchAppender, CategoryReader, SnapshotsApi {
  readonly #transport: HttpTransport
  readonly #table: OwnerTable
  readonly #projections: ProjectionsClient
  readonly #coalesce: CoalesceLimits
  readonly #retries: RetryLimits
  readonly #silenceMsMax: number
  readonly #closing = new AbortController()
  readonly #endpoints = new Map<string, WriterEndpoint>()
  readonly #lanes = new Map<string, AppendLane>()

  /** @throws InvalidInputError when no URL is given, or one is malformed. */
  constructor(options: ClientOptions) {
    this.#transport = new HttpTransport(options)
    this.#coalesce = { ...defaultCoalesceLimits, ...options.coalesce }
    this.#retries = { ...defaultRetryLimits, ...options.retries }
    this.#silenceMsMax = options.silenceMsMax ?? 45_000
    const urls = urlsOf(options)
    urls.forEach((url) => this.#endpoint(url))
    this.#table = new OwnerTable(urls, {
      direct: options.direct ?? true,
      fetchOwners: (url) => this.#endpoint(url).owners(),
    })
    this.#projections = new ProjectionsClient({
      urls: options.projectionUrls ?? urls,
      transport: this.#transport,
      retries: this.#retries,
      silenceMsMax: this.#silenceMsMax,
    })
  }

  /**
   * Appends events to a stream. Their ids are given before the first try.
   * @throws EventStoreError `wrong-expected-version` and the others of the table; `outcome-unknown` when the tries are used
   * up and one of them may have come through. Sending the same events with the same ids settles it.
   */
  async append(
    streamId: string,
    events: readonly NewEvent[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    const append = validAppend(streamId, events, options)
    const json = encodeAppend(append)
    return settling(this.#retries, () => this.#appendOnce(append, json))
  }

  async appendMany(requests: readonly AppendRequest[]): Promise<readonly (AppendResult | EventStoreError)[]> {
    const answers = requests.map(({ streamId, events, ...options }) => this.append(streamId, events, options))
    return (await Promise.allSettled(answers)).map(answerOf)
  }

  load(streamId: string, options?: LoadOptions): Promise<LoadedStream> {
    return this.#ofStream(streamId, (writer, id) => writer.load(id, options))
  }

  read(streamId: string, options?: ReadOptions): Promise<StreamPage> {
    return this.#ofStream(streamId, (writer, id) => writer.read(id, options))
  }

  /** Iterates over a stream, page by page. */
  readAll(streamId: string, options?: ReadOptions): AsyncGenerator<RecordedEvent, void, undefined> {
    return readAll(this, streamId as StreamId, options)
  }

  info(streamId: string): Promise<PlacedStreamInfo> {
    return this.#ofStream(streamId, (writer, id) => writer.info(id))
  }

  /** The state of an aggregate, folded by the writer: now, at a version or at a time. @throws EventStoreError `stream-not-found`, `version-not-found` */
  state(streamId: string, at?: StateAt): Promise<StreamState> {
    return this.#ofStream(streamId, (writer, id) => writer.state(id, at))
  }

  /** The same, typed by the aggregate. The writer must have loaded the same definition of it. */
  async stateOf<State>(
    aggregate: Pick<Aggregate<State, never, never>, 'type' | 'initialState'>,
    id: string,
    at?: StateAt,
  ): Promise<StreamState<State>> {
    const streamId = parseRequest(() => streamIdOf(aggregate.type, id))
    return (await this.state(streamId, at)) as StreamState<State>
  }

  /** Load, save and execute, typed by the aggregate. Commands are decided here; a conflict is loaded and decided anew. */
  aggregate<State, Event extends DomainEvent, Command extends DomainCommand>(
    aggregate: Aggregate<State, Event, Command>,
    options: RepositoryOptions = {},
  ): Repository<State, Event, Command> {
    const { triesMax, delayMsMin, delayMsMax } = this.#retries
    // The repository tries appends again by itself, and finds its own events in the stream: one try of each is enough here.
    const store = {
      append: (streamId: StreamId, events: readonly NewEvent[], appendOptions: AppendOptions = {}) => {
        const append = validAppend(streamId, events, appendOptions)
        return this.#appendOnce(append, encodeAppend(append))
      },
      load: this.load.bind(this),
      read: this.read.bind(this),
    }
    return new Repository(store, aggregate, {
      ...options,
      retry: { triesMax, delayMsMin, delayMsMax, ...options.retry },
    })
  }

  readCategory(aggregateType: string, query?: CategoryQuery): Promise<CategoryPage> {
    return this.#anywhere((writer) => writer.readCategory(aggregateType, query))
  }

  followCategory(
    aggregateType: string,
    query: CategoryQuery,
    signal: AbortSignal,
    onProgress?: OnProgress,
  ): AsyncGenerator<CategoryEvent> {
    const ended = AbortSignal.any([signal, this.#closing.signal])
    const open = (cursor: string | undefined) => {
      const call = { cursor, signal: ended, silenceMsMax: this.#silenceMsMax }
      return this.#onceAnywhere((writer) => writer.subscribe(aggregateType, query, call))
    }
    const decode = (json: unknown, cursor: string) => ({ event: decodeEvent(json), cursor })
    const following = { cursor: query.cursor, signal: ended, retries: this.#retries }
    return followStream({ ...following, open, decode, onProgress })
  }

  /**
   * Live events of an aggregate type: those of the past first, then new ones as they come. Goes on over broken connections
   * without loss and without doubles; keep the cursor of the last event, or that of `onProgress`, to go on after a restart.
   * @throws EventStoreError when the limits of the retries are reached without an event.
   */
  subscribe(
    aggregateType: string,
    query: CategoryQuery = {},
    { signal = this.#closing.signal, onProgress }: SubscribeOptions = {},
  ): AsyncGenerator<CategoryEvent> {
    return this.followCategory(aggregateType, query, signal, onProgress)
  }

  snapshot(streamId: string): Promise<SnapshotTaken> {
    return this.#anywhere((server) => server.snapshot(streamId))
  }

  snapshots(): Promise<readonly SnapshotStatistics[]> {
    return this.#anywhere((server) => server.snapshots())
  }

  rebuildSnapshots(aggregateType: string): Promise<SnapshotRebuild> {
    return this.#anywhere((server) => server.rebuildSnapshots(aggregateType))
  }

  snapshotRebuild(aggregateType: string): Promise<SnapshotRebuild> {
    return this.#anywhere((server) => server.snapshotRebuild(aggregateType))
  }

  cleanUpSnapshots(aggregateType: string): Promise<SnapshotCleanup> {
    return this.#anywhere((server) => server.cleanUpSnapshots(aggregateType))
  }

  /**
   * A projection, typed by its definition, `projection(customerLifetime)`, or by its name, `projection<Totals>('customer-lifetime')`.
   * The projectors must have loaded the same definition.
   */
  projection<Data = unknown>(
    projection: string | { readonly name: string; readonly initialView: Data },
  ): ProjectionHandle<Data> {
    const name = typeof projection === 'string' ? projection : projection.name
    return new ProjectionHandle<Data>(name, this.#projections, this.#closing.signal)
  }

  /** All projections: their generations, how far each is in each partition, and what stands still. */
  projections(): Promise<readonly ProjectionInfo[]> {
    return this.#projections.list()
  }

  owners(): Promise<readonly PartitionOwner[]> {
    return this.#anywhere((writer) => writer.owners())
  }

  /** Ends subscriptions, waits for what is under way, then closes the connections. */
  close(): Promise<void> {
    this.#closing.abort()
    return this.#transport.close()
  }

  async #appendOnce({ streamId }: ValidAppend, json: string): Promise<AppendResult> {
    try {
      return await this.#lane(this.#table.urlFor(streamId)).append(json)
    } catch (error) {
      if (isTransient(error)) this.#table.refresh()
      throw error
    }
  }

  async #ofStream<T>(
    text: string,
    request: (writer: WriterEndpoint, id: StreamId) => Promise<T>,
  ): Promise<T> {
    const streamId = parseRequest(() => parseStreamId(text))
    return retrying(this.#retries, () =>
      this.#at(this.#table.urlFor(streamId), (writer) => request(writer, streamId)),
    )
  }

  #anywhere<T>(request: (writer: WriterEndpoint) => Promise<T>): Promise<T> {
    return retrying(this.#retries, () => this.#onceAnywhere(request))
  }

  #onceAnywhere<T>(request: (writer: WriterEndpoint) => Promise<T>): Promise<T> {
    return this.#at(this.#table.anyUrl(), request)
  }

  /** One request to one writer. One that cannot serve now is left alone for a moment, where there are others. */
  async #at<T>(url: string, request: (writer: WriterEndpoint) => Promise<T>): Promise<T> {
    try {
      return await request(this.#endpoint(url))
    } catch (error) {
      if (isTransient(error)) this.#table.avoid(url)
      throw error
    }
  }

  #endpoint(url: string): WriterEndpoint {
    return getOrAdd(this.#endpoints, url, () => new WriterEndpoint(url, this.#transport))
  }

  #lane(url: string): AppendLane {
    const send = (appends: readonly string[]) => this.#at(url, (writer) => writer.sendAppends(appends))
    return getOrAdd(this.#lanes, url, () => new AppendLane(send, this.#coalesce))
  }
}

function answerOf(outcome: PromiseSettledResult<AppendResult>): AppendResult | EventStoreError {
  if (outcome.status === 'fulfilled') return outcome.value
  if (outcome.reason instanceof EventStoreError) return outcome.reason
  throw outcome.reason
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
