/**
 * `building`: is catching up, nobody reads it yet. `serving`: what readers get. `kept`: made for a look at the past; read
 * only by those who name it. `retired`: another one serves in its place, or it was given up; it is being taken away.
 */
export type GenerationStatus = 'building' | 'serving' | 'kept' | 'retired'

/** One making of all views of a projection, from the beginning of the log. */
export interface NewGeneration {
  /** Sorts by time of creation. */
  readonly id: string
  /** Of the definition that makes it; instances with another one leave it alone. */
  readonly viewVersion: number
  readonly indexNames: readonly string[]
  readonly createdAtMs: number
  /** Kafka's ids of the source topics: other ones mean that the log is another. */
  readonly topicIds: Readonly<Record<string, string>>
  /** Where the log began and ended when this generation was created, by {@link sourceKey}: for its progress. */
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

/** Events count that are older than `beforeMs` (since 1970); in one partition, all of those before an offset instead. */
export interface Until {
  readonly beforeMs: number
  readonly exact?: { readonly source: string; readonly end: number }
}
