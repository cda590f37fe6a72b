import type { AppendResult, ExpectedVersion, NewEvent, StreamId } from '#domain'

import type { EventStoreError } from './errors.ts'

/** One of several appends in a request. They are independent: one may be rejected and the next accepted. */
export interface AppendRequest {
  readonly streamId: StreamId
  readonly events: readonly NewEvent[]
  /** Default `any`. */
  readonly expectedVersion?: ExpectedVersion
}

/** Appends to many streams in one call. */
export interface BatchAppender {
  /** Returns one result per request, in order. An error of one append is its result; the call itself does not reject. */
  appendMany(requests: readonly AppendRequest[]): Promise<readonly (AppendResult | EventStoreError)[]>
}
