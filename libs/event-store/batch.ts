import type { AppendResult, ExpectedVersion, NewEvent, StreamId } from '#domain'

import type { EventStoreError } from './errors.ts'

/** One append among several that travel together. Each stands on its own: one may be refused and the next accepted. */
export interface AppendRequest {
  readonly streamId: StreamId
  readonly events: readonly NewEvent[]
  /** Default `any`. */
  readonly expectedVersion?: ExpectedVersion
}

/** Many appends in one call. */
export interface BatchAppender {
  /** One answer each, in the order of the requests; never rejects for what one append did wrong. */
  appendMany(requests: readonly AppendRequest[]): Promise<readonly (AppendResult | EventStoreError)[]>
}
