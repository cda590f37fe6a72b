import type { RecordedEvent } from '#domain'

/** Selects events of one aggregate type across all of its streams. */
export interface CategoryQuery {
  /** Only events of this partition; default all. */
  readonly partition?: number
  /** Resumes after an earlier page or event. Default: the start of the log, or `from`. */
  readonly cursor?: string
  /** Only events of these types; default all. */
  readonly eventTypes?: readonly string[]
  /** Only events at or after this time: ISO 8601. */
  readonly from?: string
  /** Only events before this time: ISO 8601. */
  readonly until?: string
  /** Only events with this correlation id. */
  readonly correlationId?: string
  /** Events per page, 1 to 1,000; default 100. */
  readonly limit?: number
}

export interface CategoryPage {
  /** Grouped by partition, in log order within each partition. */
  readonly events: readonly RecordedEvent[]
  /** Start of the next page, also when that page has no events yet. */
  readonly cursor: string
  /** True when there were no more events when the page was read. */
  readonly atEnd: boolean
}

/** An event of a live subscription, with the cursor that resumes after it. */
export interface CategoryEvent {
  readonly event: RecordedEvent
  readonly cursor: string
}

/** Events of a live subscription. Empty when the filter matched nothing and only the cursor advanced. */
export interface CategoryBatch {
  readonly events: readonly CategoryEvent[]
  /** Resumes after everything that was read, including events that the filter excluded. */
  readonly cursor: string
}

/** Reads across streams. Events are ordered within a partition, and therefore within a stream. */
export interface CategoryReader {
  /** Reads one page. @throws EventStoreError `category-not-found`, `invalid-request` (malformed query, or a cursor that is malformed or outside the log) */
  readCategory(aggregateType: string, query?: CategoryQuery): Promise<CategoryPage>
  /** Returns past events, then new ones as they are appended, until `signal` aborts. Each event is delivered once, without gaps. */
  followCategory(
    aggregateType: string,
    query: CategoryQuery,
    signal: AbortSignal,
  ): AsyncIterable<CategoryEvent>
}
