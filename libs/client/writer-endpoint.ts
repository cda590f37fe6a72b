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
import { parseUrl, queryString } from './request-path.ts'
import { readServerSentEvents, type ReceivedEvent } from './server-sent-events.ts'
import { decodeAnswers, decodeCategoryPage, decodeLoaded, decodePage, encodeAppend } from './wire.ts'

/** A stream, and who serves it. */
export interface PlacedStreamInfo extends StreamInfo {
  readonly partition: number
  /** URL of the writer that may append to it now. */
  readonly owner?: string
}

/** At most one of both; without either, the state now. */
export interface StateAt {
  /** The state after this event; 0: the initial state. */
  readonly version?: Version
  /** The state after the last event not later than this: ISO 8601. */
  readonly at?: string
}

export interface StreamState<State = unknown> {
  readonly streamId: string
  readonly version: Version
  readonly state: State
}

/** One line of the routing table. */
export interface PartitionOwner {
  readonly topic: string
  readonly partition: number
  /** Absent while the owner has not proved to be there: nobody is sent to it. */
  readonly url?: string
  readonly memberId: string
}

export interface SubscribeCall {
  /** Right after which the subscription starts; it counts more than the query's. */
  readonly cursor: string | undefined
  readonly signal: AbortSignal
  readonly silenceMsMax: number
}

/** One writer by its URL: each method is one request, tried once. {@link AnnalsClient} adds all the rest. */
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

  /** Appends as {@link encodeAppend} writes them. Rejects where the request as a whole failed. */
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

  /** Ends when the connection does; what has come by then was whole. */
  async subscribe(
    aggregateType: string,
    query: CategoryQuery,
    { cursor, signal, silenceMsMax }: SubscribeCall,
  ): Promise<AsyncIterable<ReceivedEvent>> {
    const path = `${categoryPath(aggregateType)}/subscribe${categoryQuery(query)}`
    const headers = cursor === undefined ? {} : { 'last-event-id': cursor }
    const call = { url: this.#url, path, headers, signal, silenceMsMax }
    return readServerSentEvents(await this.#transport.stream(call))
  }

  #get<Answer>(path: string, decode: (json: unknown) => Answer): Promise<Answer> {
    return this.#transport.json({ method: 'GET', url: this.#url, path, decode })
  }

  #post<Answer>(path: string, decode: (json: unknown) => Answer): Promise<Answer> {
    return this.#transport.json({ method: 'POST', url: this.#url, path, decode })
  }
}

/** In the request of {@link WriterEndpoint.sendAppends} data has five levels around it. */
const dataDepthMax = jsonDepthMax - 5

/** How many events an append may have is the writer's to say. What JSON would change or drop is not sent. */
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
