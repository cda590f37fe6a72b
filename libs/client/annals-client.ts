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
import {
  defaultRetryLimits,
  isAboutCaller,
  isTransient,
  type RetryLimits,
  retrying,
  settling,
} from './backoff.ts'
import { checkUrls, type ClientOptions, type SubscribeOptions, urlsOf } from './client-options.ts'
import { followStream, type OnProgress } from './follow-stream.ts'
import { HttpTransport } from './http-transport.ts'
import { ProjectionsClient } from './projections-client.ts'
import { ProjectionHandle } from './projections-handle.ts'
import { PartitionRouter } from './partition-router.ts'
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
 * The client of Annals. It keeps connections alive, sends concurrent appends in shared requests, and sends requests directly to
 * partition owners. It retries where the error table allows it, always with the same event ids, so nothing is appended twice.
 * All methods reject with EventStoreError.
 */
export class AnnalsClient implements EventStore, BatchAppender, CategoryReader, SnapshotsApi {
  readonly #transport: HttpTransport
  readonly #router: PartitionRouter
  readonly #projections: ProjectionsClient
  readonly #coalesce: CoalesceLimits
  readonly #retries: RetryLimits
  readonly #silenceMsMax: number
  readonly #closing = new AbortController()
  readonly #endpoints = new Map<string, WriterEndpoint>()
  readonly #lanes = new Map<string, AppendLane>()

  /** @throws InvalidInputError when there is no URL, one is malformed or would expose the token, or an option is malformed. */
  constructor(options: ClientOptions) {
    this.#transport = new HttpTransport(options)
    this.#coalesce = { ...defaultCoalesceLimits, ...options.coalesce }
    this.#retries = { ...defaultRetryLimits, ...options.retries }
    this.#silenceMsMax = options.silenceMsMax ?? 45_000
    const urls = urlsOf(options)
    const { projectionUrls = urls } = options
    checkUrls([...urls, ...projectionUrls], this.#transport)
    this.#router = new PartitionRouter(urls, {
      direct: options.direct ?? true,
      mayUse: (url) => this.#transport.refusalOf(url) === undefined,
      fetchOwners: (url) => this.#endpoint(url).owners(),
    })
    this.#projections = new ProjectionsClient({
      urls: projectionUrls,
      transport: this.#transport,
      retries: this.#retries,
      silenceMsMax: this.#silenceMsMax,
    })
  }

  /**
   * Appends events to a stream. Ids are assigned before the first try.
   * @throws EventStoreError `wrong-expected-version` and other codes of the error table; `outcome-unknown` when the tries are
   * exhausted and one of them may have succeeded. Send the same events with the same ids again to find out.
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

  /** Appends to many streams, each append independently. Returns one result or error per request, in order. */
  async appendMany(requests: readonly AppendRequest[]): Promise<readonly (AppendResult | EventStoreError)[]> {
    const answers = requests.map(({ streamId, events, ...options }) => this.append(streamId, events, options))
    return (await Promise.allSettled(answers)).map(answerOf)
  }

  /** Loads a snapshot, if there is a usable one, and the events after it. */
  load(streamId: string, options?: LoadOptions): Promise<LoadedStream> {
    return this.#ofStream(streamId, (writer, id) => writer.load(id, options))
  }

  /** Reads one page of a stream. */
  read(streamId: string, options?: ReadOptions): Promise<StreamPage> {
    return this.#ofStream(streamId, (writer, id) => writer.read(id, options))
  }

  /** Iterates over a stream, page by page. */
  readAll(streamId: string, options?: ReadOptions): AsyncGenerator<RecordedEvent, void, undefined> {
    return readAll(this, streamId as StreamId, options)
  }

  /** Version, times and partition of a stream. @throws EventStoreError `stream-not-found` */
  info(streamId: string): Promise<PlacedStreamInfo> {
    return this.#ofStream(streamId, (writer, id) => writer.info(id))
  }

  /** The state of an aggregate, folded by the writer: current, at a version or at a time. @throws EventStoreError `stream-not-found`, `version-not-found` */
  state(streamId: string, at?: StateAt): Promise<StreamState> {
    return this.#ofStream(streamId, (writer, id) => writer.state(id, at))
  }

  /** Like {@link state}, typed by the aggregate. The writer must have loaded the same definition. */
  async stateOf<State>(
    aggregate: Pick<Aggregate<State, never, never>, 'type' | 'initialState'>,
    id: string,
    at?: StateAt,
  ): Promise<StreamState<State>> {
    const streamId = parseRequest(() => streamIdOf(aggregate.type, id))
    return (await this.state(streamId, at)) as StreamState<State>
  }

  /** A repository for an aggregate type. Commands are decided in this process. After a conflict it loads and decides again. */
  aggregate<State, Event extends DomainEvent, Command extends DomainCommand>(
    aggregate: Aggregate<State, Event, Command>,
    options: RepositoryOptions = {},
  ): Repository<State, Event, Command> {
    const { triesMax, delayMsMin, delayMsMax } = this.#retries
    // The repository retries appends and recognises its own events in the stream, so each call here is one try.
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

  /** Reads one page of the events of an aggregate type. */
  readCategory(aggregateType: string, query?: CategoryQuery): Promise<CategoryPage> {
    return this.#anywhere((writer) => writer.readCategory(aggregateType, query))
  }

  /** Like {@link subscribe}, as the port {@link CategoryReader} requires it. */
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
   * Subscribes to the events of an aggregate type: past events first, then new ones as they are appended. It reconnects after
   * failures without losing or repeating events. Save the cursor of the last event, or that of `onProgress`, to resume after a
   * restart.
   * @throws EventStoreError when the retry limits are reached without an event.
   */
  subscribe(
    aggregateType: string,
    query: CategoryQuery = {},
    { signal = this.#closing.signal, onProgress }: SubscribeOptions = {},
  ): AsyncGenerator<CategoryEvent> {
    return this.followCategory(aggregateType, query, signal, onProgress)
  }

  /** Takes a snapshot of the current state of a stream. @throws EventStoreError `stream-not-found`, `invalid-state` */
  snapshot(streamId: string): Promise<SnapshotTaken> {
    return this.#anywhere((server) => server.snapshot(streamId))
  }

  /** Statistics for each aggregate type with snapshots. */
  snapshots(): Promise<readonly SnapshotStatistics[]> {
    return this.#anywhere((server) => server.snapshots())
  }

  /** Starts to rebuild the snapshots of an aggregate type in the background. */
  rebuildSnapshots(aggregateType: string): Promise<SnapshotRebuild> {
    return this.#anywhere((server) => server.rebuildSnapshots(aggregateType))
  }

  /** Progress of the last rebuild. */
  snapshotRebuild(aggregateType: string): Promise<SnapshotRebuild> {
    return this.#anywhere((server) => server.snapshotRebuild(aggregateType))
  }

  /** Removes snapshots of other state versions from the topic. */
  cleanUpSnapshots(aggregateType: string): Promise<SnapshotCleanup> {
    return this.#anywhere((server) => server.cleanUpSnapshots(aggregateType))
  }

  /**
   * A handle for a projection, typed by its definition, `projection(customerLifetime)`, or by its name, `projection<Totals>('customer-lifetime')`.
   * The projector must have loaded the same definition.
   */
  projection<Data = unknown>(
    projection: string | { readonly name: string; readonly initialView: Data },
  ): ProjectionHandle<Data> {
    const name = typeof projection === 'string' ? projection : projection.name
    return new ProjectionHandle<Data>(name, this.#projections, this.#closing.signal)
  }

  /** All projections, with their generations and the progress and stops of each partition. */
  projections(): Promise<readonly ProjectionInfo[]> {
    return this.#projections.list()
  }

  /** The owner of each partition. */
  owners(): Promise<readonly PartitionOwner[]> {
    return this.#anywhere((writer) => writer.owners())
  }

  /** Ends subscriptions, waits for requests in flight, then closes the connections. */
  close(): Promise<void> {
    this.#closing.abort()
    return this.#transport.close()
  }

  /** Like {@link close}, but does not wait: requests in flight fail. An append among them may still be accepted. */
  destroy(): Promise<void> {
    this.#closing.abort()
    return this.#transport.destroy()
  }

  async #appendOnce({ streamId }: ValidAppend, json: string): Promise<AppendResult> {
    try {
      return await this.#lane(this.#router.urlFor(streamId)).append(json)
    } catch (error) {
      if (isTransient(error) && !isAboutCaller(error)) this.#router.refresh()
      throw error
    }
  }

  async #ofStream<T>(
    text: string,
    request: (writer: WriterEndpoint, id: StreamId) => Promise<T>,
  ): Promise<T> {
    const streamId = parseRequest(() => parseStreamId(text))
    return retrying(this.#retries, () =>
      this.#at(this.#router.urlFor(streamId), (writer) => request(writer, streamId)),
    )
  }

  #anywhere<T>(request: (writer: WriterEndpoint) => Promise<T>): Promise<T> {
    return retrying(this.#retries, () => this.#onceAnywhere(request))
  }

  #onceAnywhere<T>(request: (writer: WriterEndpoint) => Promise<T>): Promise<T> {
    return this.#at(this.#router.anyUrl(), request)
  }

  /** Sends one request to one writer. A writer that is unavailable gets no requests for a second while there are others. */
  async #at<T>(url: string, request: (writer: WriterEndpoint) => Promise<T>): Promise<T> {
    try {
      return await request(this.#endpoint(url))
    } catch (error) {
      if (isTransient(error) && !isAboutCaller(error)) this.#router.avoid(url)
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
