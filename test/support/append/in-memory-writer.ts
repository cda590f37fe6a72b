import {
  aggregateTypeOf,
  type AppendOptions,
  type AppendResult,
  type LoadOptions,
  type NewEvent,
  noVersion,
  type ReadOptions,
  type RecordedEvent,
  type StreamId,
} from '#domain'
import {
  type AppendRequest,
  type CategoryBatch,
  type CategoryEvent,
  type CategoryPage,
  type CategoryQuery,
  EventStoreError,
  InMemoryEventStore,
  invalidRequest,
  parseTime,
  readAll,
} from '#event-store'
import type { StreamFilter } from '#event-log'

import type { RoutingEntry, StatePoint, WriterApi } from '../../../services/writer/writer-api.ts'

/** The writer without Kafka and Redis, for tests of the layers above it. A category exists once it has an event. */
export class InMemoryWriter implements WriterApi {
  readonly store = new InMemoryEventStore()
  /** All append requests received, unchanged. */
  readonly requests: (readonly AppendRequest[])[] = []
  partitionOwners: readonly RoutingEntry[] = []
  readonly #log: RecordedEvent[] = []
  #grown = Promise.withResolvers<undefined>()

  async append(
    streamId: StreamId,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<AppendResult> {
    const result = await this.store.append(streamId, events, options)
    if (!result.duplicate) await this.#record(result)
    return result
  }

  async appendMany(requests: readonly AppendRequest[]): Promise<readonly (AppendResult | EventStoreError)[]> {
    this.requests.push(requests)
    const results = await this.store.appendMany(requests)
    for (const result of results) {
      if (!(result instanceof EventStoreError) && !result.duplicate) await this.#record(result)
    }
    return results
  }

  load = (streamId: StreamId, options?: LoadOptions) => this.store.load(streamId, options)
  read = (streamId: StreamId, options?: ReadOptions) => this.store.read(streamId, options)
  info = (streamId: StreamId) => this.store.info(streamId)
  place = () => ({ partition: 0, owner: 'http://127.0.0.1:7400' })
  owners = () => Promise.resolve(this.partitionOwners)
  cursorAt = (_type: string, _partition: number, offset: number) => Promise.resolve(String(offset))

  /** The state is the list of the events' types. */
  async state(streamId: StreamId, { version: toVersion, at }: StatePoint) {
    const { version } = await this.store.info(streamId)
    if (toVersion === noVersion) return { version: noVersion, state: [] }
    if (toVersion !== undefined && toVersion > version)
      throw new EventStoreError('version-not-found', `${streamId} is at version ${version}`)
    const untilMs = at === undefined ? Infinity : parseTime(at, 'at')
    const events = await Array.fromAsync(
      readAll(this.store, streamId, toVersion === undefined ? {} : { toVersion }),
    )
    const counted = events.filter(({ timestamp }) => Date.parse(timestamp) <= untilMs)
    const last = counted.at(-1)
    if (last === undefined)
      throw new EventStoreError('stream-not-found', `there is no stream ${streamId} at that time`)
    return { version: last.version, state: counted.map(({ type }) => type) }
  }

  readCategory(
    aggregateType: string,
    query: CategoryQuery = {},
    streams?: StreamFilter,
  ): Promise<CategoryPage> {
    return Promise.resolve().then(() => {
      this.#checkCategory(aggregateType)
      const { limit = 100 } = query
      const matching = this.#matching(aggregateType, query, streams)
      const page = matching.slice(0, limit)
      const cursor = page.at(-1)?.cursor ?? query.cursor ?? '0'
      return { events: page.map(({ event }) => event), cursor, atEnd: matching.length <= limit }
    })
  }

  async *followCategory(
    aggregateType: string,
    query: CategoryQuery,
    signal: AbortSignal,
    streams?: StreamFilter,
  ): AsyncGenerator<CategoryEvent> {
    const aborted = new Promise<undefined>((resolve) =>
      signal.addEventListener('abort', () => resolve(undefined)),
    )
    let cursor = query.cursor ?? '0'
    while (!signal.aborted) {
      const grown = this.#grown.promise
      for (const next of this.#matching(aggregateType, { ...query, cursor }, streams)) {
        cursor = next.cursor
        yield next
      }
      await Promise.race([grown, aborted])
    }
  }

  checkCategory(aggregateType: string, query: CategoryQuery): Promise<void> {
    return Promise.resolve().then(() => {
      this.#checkCategory(aggregateType)
      this.#matching(aggregateType, query)
    })
  }

  async *subscribeCategory(
    ...args: Parameters<InMemoryWriter['followCategory']>
  ): AsyncGenerator<CategoryBatch> {
    for await (const event of this.followCategory(...args)) yield { events: [event], cursor: event.cursor }
  }

  #checkCategory(aggregateType: string): void {
    if (this.#log.some(({ streamId }) => aggregateTypeOf(streamId) === aggregateType)) return
    throw new EventStoreError('category-not-found', `there is no aggregate type ${aggregateType}`)
  }

  /** A cursor is an index into the order of arrival. */
  #matching(aggregateType: string, query: CategoryQuery, streams?: StreamFilter): CategoryEvent[] {
    const { cursor = '0', eventTypes, correlationId } = query
    if (!/^\d+$/.test(cursor)) throw invalidRequest('cursor', `cursor ${cursor} is malformed`)
    if (Number(cursor) > this.#log.length)
      throw invalidRequest('cursor', `cursor ${cursor} is outside the log`)
    return this.#log
      .map((event, index) => ({ event, cursor: String(index + 1) }))
      .slice(Number(cursor))
      .filter(
        ({ event: { streamId, type, metadata } }) =>
          aggregateTypeOf(streamId) === aggregateType &&
          (streams?.(streamId) ?? true) &&
          (eventTypes?.includes(type) ?? true) &&
          (correlationId === undefined || metadata.correlationId === correlationId),
      )
  }

  async #record({ streamId, firstVersion, lastVersion }: AppendResult): Promise<void> {
    const options = { fromVersion: firstVersion, toVersion: lastVersion }
    this.#log.push(...(await Array.fromAsync(readAll(this.store, streamId, options))))
    this.#grown.resolve(undefined)
    this.#grown = Promise.withResolvers()
  }
}
