import type { RecordedEvent } from '#domain'

/** Events of one aggregate type, over all of its streams. */
export interface CategoryQuery {
  /** Only this partition; all of them by default. */
  readonly partition?: number
  /** Where to go on: the cursor of an earlier page or event. Absent: from the beginning, or from `from`. */
  readonly cursor?: string
  /** Only events of these types; all by default. */
  readonly eventTypes?: readonly string[]
  /** Not before this time: ISO 8601. */
  readonly from?: string
  /** Before this time: ISO 8601. */
  readonly until?: string
  readonly correlationId?: string
  /** Events a page, 1 to 1,000; default 100. */
  readonly limit?: number
}

export interface CategoryPage {
  /** In order within each partition; partitions one after another within a page. */
  readonly events: readonly RecordedEvent[]
  /** Where the next page starts, whether there is one yet or not. */
  readonly cursor: string
  /** Nothing more was there when the page was read. */
  readonly atEnd: boolean
}

/** One event of a live subscription, and the cursor that resumes right after it. */
export interface CategoryEvent {
  readonly event: RecordedEvent
  readonly cursor: string
}

/** Some events of a live subscription; none where only its cursor has moved, because the filter matches nothing. */
export interface CategoryBatch {
  readonly events: readonly CategoryEvent[]
  /** Resumes right after all that was looked at. */
  readonly cursor: string
}

/** Reads across streams. Order holds within a partition, and so within a stream. */
export interface CategoryReader {
  /** @throws EventStoreError `category-not-found`, `invalid-request` (malformed query, or a cursor that is malformed or outside the log) */
  readCategory(aggregateType: string, query?: CategoryQuery): Promise<CategoryPage>
  /** Live: past events first, then new ones as they come, until `signal` aborts. Each event comes once, none is left out. */
  followCategory(
    aggregateType: string,
    query: CategoryQuery,
    signal: AbortSignal,
  ): AsyncIterable<CategoryEvent>
}
