import type {
  AppendOptions,
  AppendResult,
  LoadedStream,
  LoadOptions,
  NewEvent,
  ReadOptions,
  StreamId,
  StreamPage,
  Version,
} from '#domain'
import type {
  AppendRequest,
  BatchAppender,
  CategoryBatch,
  CategoryPage,
  CategoryQuery,
  CategoryReader,
  EventStore,
  EventStoreError,
  StreamInfo,
} from '#event-store'
import type { StreamFilter } from '#event-log'
import type { RequestContext } from '#service'

/** The partition of a stream, and its current owner. */
export interface Placement {
  readonly partition: number
  /** URL of the owner; absent while there is none. */
  readonly owner?: string
}

/** One line of the routing table. */
export interface RoutingEntry {
  readonly topic: string
  readonly partition: number
  /** Absent until the address of the owner is verified. No request is sent to it before. */
  readonly url?: string
  readonly memberId: string
}

/** At most one of both; by default the current state. */
export interface StatePoint {
  /** The state after this event; 0: the initial state. */
  readonly version?: Version
  /** The state after the last event not later than this: ISO 8601. */
  readonly at?: string
}

export interface StateAtVersion {
  readonly version: Version
  readonly state: unknown
}

/**
 * The API of the writer for HTTP. Arguments have the right shapes and types, but unchecked values, so that nothing is
 * checked twice: the core checks appends (`validateAppend`, including stream ids), bounds of reads (`planRead`,
 * `parsePageLimit`, `parseTime`) and cursors. Stream ids and aggregate types of reads are already checked.
 * All methods reject with EventStoreError.
 */
export interface WriterApi extends EventStore, BatchAppender, CategoryReader {
  append(
    streamId: StreamId,
    events: readonly NewEvent[],
    options?: AppendOptions,
    context?: RequestContext,
  ): Promise<AppendResult>
  appendMany(
    requests: readonly AppendRequest[],
    context?: RequestContext,
  ): Promise<readonly (AppendResult | EventStoreError)[]>
  load(streamId: StreamId, options?: LoadOptions, context?: RequestContext): Promise<LoadedStream>
  read(streamId: StreamId, options?: ReadOptions, context?: RequestContext): Promise<StreamPage>
  info(streamId: StreamId, context?: RequestContext): Promise<StreamInfo>
  /** Checks that a subscription can start. @throws EventStoreError, also if the cursor is beyond the end. */
  checkCategory(aggregateType: string, query: CategoryQuery): Promise<void>
  /** @param streams leaves out all other streams, which the caller may not read */
  readCategory(aggregateType: string, query?: CategoryQuery, streams?: StreamFilter): Promise<CategoryPage>
  /**
   * Like `followCategory`, in batches of the available events. A batch without events reports a moved cursor.
   * @param streams leaves out all other streams, which the caller may not read
   */
  subscribeCategory(
    aggregateType: string,
    query: CategoryQuery,
    signal: AbortSignal,
    streams?: StreamFilter,
  ): AsyncIterable<CategoryBatch>
  /** @throws EventStoreError `stream-not-found` if the stream did not exist (then), `version-not-found` beyond its end. */
  state(streamId: StreamId, at: StatePoint, context?: RequestContext): Promise<StateAtVersion>
  place(streamId: StreamId): Placement
  /** The cursor that starts a partition of a category at an offset. */
  cursorAt(aggregateType: string, partition: number, offset: number): Promise<string>
  owners(): Promise<readonly RoutingEntry[]>
}
