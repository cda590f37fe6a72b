import type { EventId, ExpectedVersion, Version } from '#domain'

/**
 * What a caller may do after an error. `never`: do not retry. `reload`: load the stream and decide again. `same-ids`: send
 * the same request with the same event ids.
 */
export type Retry = 'never' | 'reload' | 'same-ids'

interface ErrorKind {
  readonly httpStatus: number
  readonly retry: Retry
  readonly title: string
}

/** Every error of the store, with its HTTP status and what the caller may do next. HTTP, SDK and docs use this table. */
export const errorTable = {
  'invalid-request': { httpStatus: 400, retry: 'never', title: 'The request is malformed' },
  'invalid-event': { httpStatus: 422, retry: 'never', title: 'An event does not fit its schema' },
  'unknown-event-type': { httpStatus: 422, retry: 'never', title: 'The event type does not exist' },
  'append-too-large': {
    httpStatus: 413,
    retry: 'never',
    title: 'More events or bytes than one append may hold',
  },
  'invalid-state': {
    httpStatus: 422,
    retry: 'never',
    title: 'The state cannot be computed, or does not fit its schema',
  },
  'stream-not-found': { httpStatus: 404, retry: 'never', title: 'The stream does not exist' },
  'version-not-found': { httpStatus: 404, retry: 'never', title: 'The stream has no such version' },
  'category-not-found': { httpStatus: 404, retry: 'never', title: 'The aggregate type does not exist' },
  'projection-not-found': { httpStatus: 404, retry: 'never', title: 'The projection does not exist' },
  'generation-not-found': {
    httpStatus: 404,
    retry: 'never',
    title: 'The projection has no such generation',
  },
  'view-not-found': { httpStatus: 404, retry: 'never', title: 'The view does not exist' },
  'wrong-expected-version': { httpStatus: 409, retry: 'reload', title: 'The stream is at another version' },
  'partial-duplicate': {
    httpStatus: 409,
    retry: 'never',
    title: 'Some of these events are already in the stream',
  },
  overloaded: { httpStatus: 503, retry: 'same-ids', title: 'The queue is full' },
  unavailable: { httpStatus: 503, retry: 'same-ids', title: 'The partition cannot be served now' },
  'projection-behind': {
    httpStatus: 503,
    retry: 'same-ids',
    title: 'The event is not in the projection yet',
  },
  'not-owner': { httpStatus: 503, retry: 'same-ids', title: 'Another writer owns the partition' },
  'log-replaced': {
    httpStatus: 503,
    retry: 'never',
    title: 'The topic was deleted and created again: an operator must act',
  },
  'events-deleted': {
    httpStatus: 410,
    retry: 'never',
    title: 'The log no longer has these events',
  },
  'outcome-unknown': {
    httpStatus: 504,
    retry: 'same-ids',
    title: 'The events may or may not have been appended',
  },
  unauthenticated: { httpStatus: 401, retry: 'never', title: 'The request has no valid credential' },
  forbidden: { httpStatus: 403, retry: 'never', title: 'The principal may not do this' },
  'limit-exceeded': {
    httpStatus: 429,
    retry: 'same-ids',
    title: 'The principal has reached one of its limits',
  },
  internal: { httpStatus: 500, retry: 'never', title: 'An internal error of Annals' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorTable

/** Details of an error. All fields are plain JSON. */
export interface ErrorDetails {
  /** Path of the invalid field, e.g. `events[0].data.amount`. */
  readonly path?: string
  /** The version that the append expected. */
  readonly expected?: ExpectedVersion
  /** The version of the stream. */
  readonly actual?: Version
  /** Event ids that are already in the stream. */
  readonly known?: readonly EventId[]
  /** Wait at least this many seconds before a retry. */
  readonly retryAfterSeconds?: number
}

/** The only error class of the event store. `code` states what happened, {@link errorTable} what to do next. */
export class EventStoreError extends Error {
  override readonly name: string = 'EventStoreError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.details = details
  }

  get httpStatus(): number {
    return errorTable[this.code].httpStatus
  }

  get retry(): Retry {
    return errorTable[this.code].retry
  }
}
