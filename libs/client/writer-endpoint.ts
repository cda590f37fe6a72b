import {
  type AppendOptions,
  type AppendResult,
  type LoadedStream,
  type LoadOptions,
  type NewEvent,
  parseAggregateType,
  parseStreamId,
  type ReadOptions,
  type StreamPage,
  type Version,
} from '#domain'
import {
  type AppendRequest,
  type BatchAppender,
  type CategoryPage,
  type CategoryQuery,
  checkEventData,
  type EventStore,
  EventStoreError,
  jsonDepthMax,
  parseRequest,
  type SnapshotCleanup,
  type SnapshotRebuild,
  type SnapshotsApi,
  type SnapshotStatistics,
  type SnapshotTaken,
  type StreamInfo,
  validateAppend,
  type ValidAppend,
} from '#event-store'

import type { HttpTransport } from './http-transport.ts'
import { openSubscription, type SubscriptionCall } from './open-subscription.ts'
import { parseUrl, queryString } from './request-path.ts'
import type { ReceivedEvent } from './server-sent-events.ts'
import { decodeAnswers, decodeCategoryPage, decodeLoaded, decodePage, encodeAppend } from './wire.ts'

/** A stream with its partition and owner. */
export interface PlacedStreamInfo extends StreamInfo {
  readonly partition: number
  /** URL of the writer that owns the partition; absent when there is none. */
  readonly owner?: string
}

/** Selects a past state, by version or by time, not both. Default: the current state. */
export interface StateAt {
  /** The state after this event; 0: the initial state. */
  readonly version?: Version
  /** The state after the last event not later than this: ISO 8601. */
  readonly at?: string
}

/** The state of an aggregate at a version. */
export interface StreamState<State = unknown> {
  readonly streamId: string
  readonly version: Version
  readonly state: State
}

/** The owner of a partition. */
export interface PartitionOwner {
  readonly topic: string
  readonly partition: number
  /** URL of the owner; absent until its identity is verified. */
  readonly url?: string
  /** Member id in the consumer group. */
  readonly memberId: string
}

/** One writer at a URL. Each method sends one request, without retries. {@link AnnalsClient} adds routing and retries. */
export class WriterEndpoint implements EventStore, BatchAppender, SnapshotsApi {
  readonly #url: URL
  readonly #transport: HttpTransport

  /** @throws InvalidInputError when the URL is malformed. */
  constructor(url: string, transport: HttpTransport) {
    this.#url = parseUrl(url)
    this.#transport = transport
  }

  async append(
    streamId: string,
    events: readonly NewEvent[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    const [answer] = await this.sendAppends([encodeAppend(validAppend(streamId, events, options))])
    if (answer instanceof EventStoreError) throw answer
    return answer as AppendResult
  }

  appendMany(requests: readonly AppendRequest[]): Promise<readonly (AppendResult | EventStoreError)[]> {
    return this.sendAppends(
      requests.map(({ streamId, events, ...rest }) => encodeAppend(validAppend(streamId, events, rest))),
    )
  }

  /** Sends appends encoded by {@link encodeAppend}. Rejects when the request as a whole failed. */
  sendAppends(appends: readonly string[]): Promise<readonly (AppendResult | EventStoreError)[]> {
    return this.#transport.json({
      method: 'POST',
      url: this.#url,
      path: '/appends',
      body: `{"appends":[${appends.join(',')}]}`,
      decode: (json) => decodeAnswers(json, appends.length),
    })
  }

  async load(streamId: string, options: LoadOptions = {}): Promise<LoadedStream> {
    return this.#get(`${streamPath(streamId)}/load${queryString(options)}`, decodeLoaded)
  }

  async read(streamId: string, options: ReadOptions = {}): Promise<StreamPage> {
    return this.#get(`${streamPath(streamId)}/events${queryString(options)}`, decodePage)
  }

  async info(streamId: string): Promise<PlacedStreamInfo> {
    return this.#get(streamPath(streamId), (json) => json as PlacedStreamInfo)
  }

  async state(streamId: string, at: StateAt = {}): Promise<StreamState> {
    return this.#get(`${streamPath(streamId)}/state${queryString(at)}`, (json) => json as StreamState)
  }

  async readCategory(aggregateType: string, query: CategoryQuery = {}): Promise<CategoryPage> {
    return this.#get(`${categoryPath(aggregateType)}/events${categoryQuery(query)}`, decodeCategoryPage)
  }

  async owners(): Promise<readonly PartitionOwner[]> {
    return this.#get('/owners', (json) => (json as { partitions: PartitionOwner[] }).partitions)
  }

  async snapshot(streamId: string): Promise<SnapshotTaken> {
    return this.#post(`${streamPath(streamId)}/snapshot`, (json) => json as SnapshotTaken)
  }

  async snapshots(): Promise<readonly SnapshotStatistics[]> {
    return this.#get('/snapshots', (json) => (json as { types: SnapshotStatistics[] }).types)
  }

  async rebuildSnapshots(aggregateType: string): Promise<SnapshotRebuild> {
    return this.#post(`${snapshotsPath(aggregateType)}/rebuild`, (json) => json as SnapshotRebuild)
  }

  async snapshotRebuild(aggregateType: string): Promise<SnapshotRebuild> {
    return this.#get(`${snapshotsPath(aggregateType)}/rebuild`, (json) => json as SnapshotRebuild)
  }

  async cleanUpSnapshots(aggregateType: string): Promise<SnapshotCleanup> {
    return this.#post(`${snapshotsPath(aggregateType)}/cleanup`, (json) => json as SnapshotCleanup)
  }

  /** Opens a subscription. It ends with the connection and returns complete events only. */
  async subscribe(
    aggregateType: string,
    query: CategoryQuery,
    call: Omit<SubscriptionCall, 'url' | 'path'>,
  ): Promise<AsyncIterable<ReceivedEvent>> {
    const path = `${categoryPath(aggregateType)}/subscribe${categoryQuery(query)}`
    return openSubscription(this.#transport, { ...call, url: this.#url, path })
  }

  #get<Answer>(path: string, decode: (json: unknown) => Answer): Promise<Answer> {
    return this.#transport.json({ method: 'GET', url: this.#url, path, decode })
  }

  #post<Answer>(path: string, decode: (json: unknown) => Answer): Promise<Answer> {
    return this.#transport.json({ method: 'POST', url: this.#url, path, decode })
  }
}

/** The request of {@link WriterEndpoint.sendAppends} adds five levels around the data. */
const dataDepthMax = jsonDepthMax - 5

/** Validates an append and its data. The writer, not the client, limits the number of events. */
export function validAppend(
  streamId: string,
  events: readonly NewEvent[],
  options: AppendOptions,
): ValidAppend {
  const append = validateAppend(
    { ...options, streamId: streamId as AppendRequest['streamId'], events },
    { eventsPerAppendMax: Infinity },
  )
  checkEventData(append.events, dataDepthMax)
  return append
}

const streamPath = (streamId: string): string =>
  `/streams/${encodeURIComponent(parseRequest(() => parseStreamId(streamId)))}`

const categoryPath = (aggregateType: string): string =>
  `/categories/${parseRequest(() => parseAggregateType(aggregateType))}`

const snapshotsPath = (aggregateType: string): string =>
  `/snapshots/${parseRequest(() => parseAggregateType(aggregateType))}`

const categoryQuery = ({ eventTypes, ...rest }: CategoryQuery): string =>
  queryString({ ...rest, eventType: eventTypes })
