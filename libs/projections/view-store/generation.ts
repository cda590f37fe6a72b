/**
 * `building`: it is catching up and has no readers yet. `serving`: readers get its views. `kept`: it was built for a look
 * at the past; only readers that name it get its views. `retired`: another generation serves in its place, or it was
 * discarded; its data is being deleted.
 */
export type GenerationStatus = 'building' | 'serving' | 'kept' | 'retired'

/** One build of all views of a projection, from the start of the log. */
export interface NewGeneration {
  /** Sorts by time of creation. */
  readonly id: string
  /** View version of the definition that builds it; instances with another version leave it alone. */
  readonly viewVersion: number
  readonly indexNames: readonly string[]
  readonly createdAtMs: number
  /** Kafka's ids of the source topics. A topic with another id holds another log. */
  readonly topicIds: Readonly<Record<string, string>>
  /** Where the log began and ended when this generation was created, by `formatPartition`: for its progress. */
  readonly range: Readonly<Record<string, OffsetRange>>
  /** For a look at the past: which events count. Such a generation stops at the end of its range, and never serves. */
  readonly until?: Until
}

export interface Generation extends NewGeneration {
  readonly status: GenerationStatus
}

export interface OffsetRange {
  readonly start: number
  /** After the last offset. */
  readonly end: number
}

/** Events older than `beforeMs` (since 1970) count. In one partition `exact` replaces the time: all events before an offset count. */
export interface Until {
  readonly beforeMs: number
  readonly exact?: { readonly source: string; readonly end: number }
}

/** The status with which a store adds a generation beside the current ones, which serve or are building. */
export function statusOfNew(
  { until }: NewGeneration,
  current: readonly Pick<Generation, 'status'>[],
): GenerationStatus {
  if (until !== undefined) return 'kept'
  return current.some(({ status }) => status === 'serving') ? 'building' : 'serving'
}
