import { pause } from '#async'
import {
  type AppendOptions,
  type AppendResult,
  identifyEvents,
  type LoadedStream,
  type LoadOptions,
  type NewEvent,
  parseStreamId,
  partitionKey,
  partitionOfKey,
  type ReadOptions,
  type StreamId,
  type StreamPage,
  type TopicPartition,
} from '#domain'
import {
  type AppendRequest,
  type CategoryBatch,
  type CategoryEvent,
  type CategoryPage,
  type CategoryQuery,
  type CategoryReader,
  EventStoreError,
  parseRequest,
  type StreamInfo,
} from '#event-store'
import type { StreamFilter } from '#event-log'
import type { Caller } from '#access'
import type { RoutingTable } from '#kafka'
import { refusedByPeer } from '#ownership'
import { ownContext, type RequestContext } from '#service'

import type { RoutingEntry, Placement, StatePoint, StateAtVersion, WriterApi } from '../writer-api.ts'
import { notOwner, readError } from '../partition/partition-errors.ts'
import type { Partitions } from '../store/partitions.ts'
import type { StreamOwner } from '../store/stream-owner.ts'
import type { CachedRoutingTable } from './cached-routing-table.ts'
import { tracedAppend } from './traced-append.ts'

interface RoutedWriterParts {
  readonly partitions: Partitions
  readonly local: StreamOwner
  readonly table: CachedRoutingTable
  /** A client for the owner at a URL, which sends requests in the name of a caller. */
  readonly peerAt: (url: string, caller: Caller) => StreamOwner
  readonly categories: CategoryReader &
    Pick<WriterApi, 'readCategory' | 'checkCategory' | 'subscribeCategory' | 'cursorAt'>
  readonly ownUrl: string
  /** The longest time that a request waits for its partition to have an owner. */
  readonly routingTimeoutMs: number
  /** The longest time that a request waits for the successor of an owner that refuses connections; 0: none is expected. */
  readonly successorTimeoutMs: number
  /** Called with the address of a writer that refused a connection. */
  readonly onRefusedAt: (url: string) => void
  readonly onForwarded: () => void
  /** Called once for each append that is rejected to its caller. */
  readonly onRefused: (error: unknown) => void
}

/** The owner of a partition, with its URL if it is another process. */
interface Peer {
  readonly at: StreamOwner
  readonly url?: string
}

/** Interval at which the next owner of a moving partition is looked up. */
const lookMs = 100

/** The API of all writers together: a request for a partition of another instance is forwarded to it. */
export class RoutedWriter implements WriterApi {
  readonly #parts: RoutedWriterParts

  constructor(parts: RoutedWriterParts) {
    this.#parts = parts
  }

  async append(
    streamId: StreamId,
    events: readonly NewEvent[],
    options: AppendOptions = {},
    context?: RequestContext,
  ): Promise<AppendResult> {
    // Ids are assigned before the first attempt, so that every retry is recognised as the same append.
    const identified = identifyEvents(events)
    const answer = tracedAppend(streamId, identified, (appended) =>
      this.#route(streamId, context, (owner, id, place) => owner.append(id, appended, options, place)),
    )
    // A forwarded append is reported by the writer that forwarded it.
    if (context?.forwarded !== true) answer.catch(this.#parts.onRefused)
    return answer
  }

  appendMany(
    requests: readonly AppendRequest[],
    context?: RequestContext,
  ): Promise<readonly (AppendResult | EventStoreError)[]> {
    return Promise.all(
      requests.map(({ streamId, events, ...options }) =>
        this.append(streamId, events, options, context).catch((error: unknown) => {
          if (error instanceof EventStoreError) return error
          throw error
        }),
      ),
    )
  }

  load(streamId: StreamId, options?: LoadOptions, context?: RequestContext): Promise<LoadedStream> {
    return this.#route(streamId, context, (owner, id, place) => owner.load(id, options, place))
  }

  read(streamId: StreamId, options?: ReadOptions, context?: RequestContext): Promise<StreamPage> {
    return this.#route(streamId, context, (owner, id, place) => owner.read(id, options, place))
  }

  info(streamId: StreamId, context?: RequestContext): Promise<StreamInfo> {
    return this.#route(streamId, context, (owner, id, place) => owner.info(id, place))
  }

  state(streamId: StreamId, at: StatePoint, context?: RequestContext): Promise<StateAtVersion> {
    return this.#route(streamId, context, (owner, id, place) => owner.state(id, at, place))
  }

  place(streamId: StreamId): Placement {
    const { partitions, table, ownUrl } = this.#parts
    const place = partitions.placeOf(streamId)
    const owner = partitions.ownerOf(place) ? ownUrl : table.latest.get(partitionKey(place))?.url
    return { partition: place.partition, ...(owner !== undefined && { owner }) }
  }

  async owners(): Promise<readonly RoutingEntry[]> {
    const owners = await this.#owners(true)
    return [...owners].map(([key, { memberId, url }]) => {
      return { ...partitionOfKey(key), ...(url !== undefined && { url }), memberId }
    })
  }

  readCategory(aggregateType: string, query?: CategoryQuery, streams?: StreamFilter): Promise<CategoryPage> {
    return this.#parts.categories.readCategory(aggregateType, query, streams).catch(failRead)
  }

  async *followCategory(
    aggregateType: string,
    query: CategoryQuery,
    signal: AbortSignal,
  ): AsyncGenerator<CategoryEvent> {
    try {
      yield* this.#parts.categories.followCategory(aggregateType, query, signal)
    } catch (error) {
      throw readError(error)
    }
  }

  checkCategory(aggregateType: string, query: CategoryQuery): Promise<void> {
    return this.#parts.categories.checkCategory(aggregateType, query).catch(failRead)
  }

  async *subscribeCategory(
    aggregateType: string,
    query: CategoryQuery,
    signal: AbortSignal,
    streams?: StreamFilter,
  ): AsyncGenerator<CategoryBatch> {
    try {
      yield* this.#parts.categories.subscribeCategory(aggregateType, query, signal, streams)
    } catch (error) {
      throw readError(error)
    }
  }

  cursorAt(aggregateType: string, partition: number, offset: number): Promise<string> {
    return this.#parts.categories.cursorAt(aggregateType, partition, offset).catch(failRead)
  }

  /** Calls the owner, here or elsewhere. While the partition moves, it looks for the next owner up to a time-out. */
  async #route<T>(
    streamId: StreamId,
    { forwarded, caller }: RequestContext = ownContext,
    ask: (owner: StreamOwner, parsedId: StreamId, place: TopicPartition) => Promise<T>,
  ): Promise<T> {
    const { partitions, local, table, routingTimeoutMs, successorTimeoutMs } = this.#parts
    const parsedId = parseRequest(() => parseStreamId(streamId))
    const place = partitions.placeOf(parsedId)
    const sinceMs = performance.now()
    const deadlineMs = sinceMs + routingTimeoutMs
    // This instance first if it owns the partition; if it rejects (fenced), the owner that the group names; then again.
    for (let wrong = false, refusedHere = false; ; wrong = true) {
      const isHere: boolean = !refusedHere && partitions.ownerOf(place) !== undefined
      const owner = isHere ? { at: local } : forwarded ? undefined : await this.#peerOf(place, caller, wrong)
      refusedHere = isHere
      try {
        if (owner !== undefined) return await ask(owner.at, parsedId, place)
      } catch (error) {
        // A killed writer does not answer. The group will name another one, and no request may go to the old one.
        if (!isHere) table.doubt()
        const mayHaveSuccessor =
          this.#isDead(owner?.url, error) && performance.now() < sinceMs + successorTimeoutMs
        if (!mayHaveSuccessor && (!isNotOwner(error) || forwarded)) {
          throw readError(isHere ? error : refusedByPeer(error))
        }
      }
      if (forwarded || performance.now() >= deadlineMs) throw notOwner(partitionKey(place))
      await pause(lookMs)
    }
  }

  #owners(wrong: boolean): Promise<RoutingTable> {
    return this.#parts.table.get(wrong).catch(failRead)
  }

  /** Whether no process listens at the URL of the owner. Then the request was not sent. */
  #isDead(url: string | undefined, error: unknown): boolean {
    if (url === undefined || !isRefusedConnection(error)) return false
    this.#parts.onRefusedAt(url)
    return true
  }

  async #peerOf(place: TopicPartition, caller: Caller, wrong: boolean): Promise<Peer | undefined> {
    const { peerAt, ownUrl, onForwarded } = this.#parts
    const url = (await this.#owners(wrong)).get(partitionKey(place))?.url
    // The group may know before this process that it has gained or lost the partition.
    if (url === undefined || url === ownUrl) return undefined
    onForwarded()
    return { at: peerAt(url, caller), url }
  }
}

const failRead = (error: unknown): never => {
  throw readError(error)
}

const isNotOwner = (error: unknown): boolean => error instanceof EventStoreError && error.code === 'not-owner'

/** The client reports it as `unavailable`, with the error of the connection as the cause. */
const isRefusedConnection = (error: unknown): boolean =>
  error instanceof EventStoreError &&
  error.code === 'unavailable' &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  error.cause.code === 'ECONNREFUSED'
