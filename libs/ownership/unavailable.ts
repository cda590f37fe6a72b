import { EventStoreError } from '#event-store'

/** The error of a partition that cannot serve a request now; the caller may retry after a second. */
export const unavailable = (reason: string, cause?: unknown): EventStoreError =>
  new EventStoreError('unavailable', reason, { retryAfterSeconds: 1 }, { cause })
